import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import {
  BackupDamagedError,
  BackupExistsError,
  BackupMissingError,
  PolyMongoOptionsError,
  SnapshotExpiredError,
  SuspensionOffError,
  TenantNotEmptyError,
  type BackupManifest,
  type BackupOptions,
  type BackupPart,
  type PolyMongoWrapper,
  type TenantResult,
} from 'nestjs-polymongo';
import { mulberry32 } from '../../support/random.js';
import { TenantProcesses } from '../../support/tenant-processes.js';

const OPTIONS = { exists: 'provisioned', suspension: { withinMS: 100 } } as const;
/** What a restore writes by in the tenant's database, and about how often. */
const WRITING = ['create', 'insert', 'createIndexes', 'drop', 'renameCollection'];
const STEPS = 24;
const TIMES = process.env['POLYMONGO_LONG'] ? 80 : 8;
const SEED = Number(process.env['POLYMONGO_SEED'] ?? Date.now() % 2 ** 31);
const random = mulberry32(SEED);
const { Long, Double, Decimal128, ObjectId } = mongoose.mongo;

let processes: TenantProcesses;
let here: PolyMongoWrapper;
let folder: string;

beforeEach(async () => {
  processes = await TenantProcesses.start();
  here = processes.add(OPTIONS, { shutdownTimeoutMS: 50 });
  folder = await mkdtemp(join(tmpdir(), 'backup-'));
  await here.tenants.provision('acme');
  await fill('acme');
});
afterEach(async () => {
  await processes.stop();
  await rm(folder, { recursive: true });
});

/** Runs past every rule, as another program would. */
const raw = <T>(tenantId: string, fn: (db: mongoose.mongo.Db) => Promise<T>): Promise<T> =>
  here.pools.primary.client.db(processes.database(tenantId)) &&
  fn(here.pools.primary.client.db(processes.database(tenantId)));

async function fill(tenantId: string): Promise<void> {
  await raw(tenantId, async (db) => {
    const odd = {
      _id: new ObjectId(),
      long: Long.fromString('9007199254740993'),
      double: new Double(5),
      money: Decimal128.fromString('1.10'),
    };
    await db
      .collection('orders')
      .insertMany([odd, ...Array.from({ length: 500 }, (_, n) => ({ n, text: 'x'.repeat(n) }))] as never[]);
    await db.collection('orders').createIndex({ n: 1 }, { name: 'by_n', partialFilterExpression: { n: { $gt: 3 } } });
    await db.createCollection('empty', { validator: { a: { $type: 'int' } } });
    await db.createCollection('large', { viewOn: 'orders', pipeline: [{ $match: { n: { $gt: 490 } } }] });
    await db.createCollection('weather', { timeseries: { timeField: 't', metaField: 'm' } });
    await db.collection('weather').insertMany([
      { t: new Date(0), m: 1, v: 1 },
      { t: new Date(60_000), m: 1, v: 2 },
    ]);
  });
}

async function one<T>(run: PromiseLike<TenantResult<T>[]>): Promise<T> {
  const results = await run;
  expect(results).toHaveLength(1);
  const [result] = results;
  if (!result!.ok) throw result!.error;
  return result!.value;
}

const backUp = (tenantId = 'acme', options: Partial<BackupOptions> = {}): Promise<BackupManifest> =>
  one(here.tenants.backup({ to: folder, tenants: [tenantId], onError: 'collect', ...options }));
const verify = (tenantId = 'acme', from: string = folder): Promise<BackupManifest> =>
  one(here.tenants.verify({ from, tenants: [tenantId], onError: 'collect' }));

/** The same without what a restore has staged. */
const ownContentsOf = async (tenantId: string): Promise<object> =>
  Object.fromEntries(Object.entries(await contentsOf(tenantId)).filter(([name]) => !name.startsWith('polymongo_')));

/** All that is in a tenant's database, to be compared. */
async function contentsOf(tenantId: string): Promise<object> {
  return raw(tenantId, async (db) => {
    const infos = await db.listCollections({}, { nameOnly: false }).toArray();
    const found: Record<string, object> = {};
    for (const { name, type, options } of infos) {
      if (name.startsWith('system.')) continue;
      const documents = await db
        .collection(name)
        .find({}, { raw: false, promoteValues: false })
        .sort({ n: 1, t: 1 })
        .toArray();
      const indexes = type === 'view' ? [] : await db.collection(name).listIndexes().toArray();
      found[name] = {
        type,
        options,
        indexes,
        documents: documents.map((each) => mongoose.mongo.BSON.EJSON.stringify(each, { relaxed: false })),
      };
    }
    return found;
  });
}

describe.each(['archive', 'json'] as const)('a backup as %s', (format) => {
  it('is two files that verify() finds whole, and restore() gives all that was there', async () => {
    if (format === 'archive') await raw('acme', (db) => db.dropCollection('weather')); // its buckets are not shown by every server
    const before = await contentsOf('acme');
    const manifest = await backUp('acme', { format });
    expect((await readdir(folder)).sort()).toEqual([`acme.${format}.gz`, 'acme.manifest.json']);
    expect(manifest).toMatchObject({
      tenantId: 'acme',
      database: processes.database('acme'),
      format,
      isSnapshot: true,
    });
    expect(manifest.collections.map(({ name, documents }) => [name, documents])).toEqual([
      ['empty', 0],
      ['large', 0],
      ['notes', 0],
      ['orders', 501],
      ...(format === 'json' ? [['weather', 2]] : []),
    ]);
    expect(await verify()).toEqual(manifest);

    expect(await here.tenants.restore('acme', { from: folder, as: 'globex' })).toMatchObject({ tenantId: 'globex' });
    expect(await contentsOf('globex')).toEqual(before);
    expect(await here.tenants.list()).toEqual(['acme', 'globex']);
    expect(await processes.count(here, 'globex')).toBe(0);

    await raw('acme', async (db) => {
      await db.collection('orders').updateMany({}, { $set: { n: 0 } });
      await db.collection('later').insertOne({});
      await db.dropCollection('weather');
      await db.dropCollection('large');
    });
    await here.tenants.restore('acme', { from: folder, drop: true });
    expect(await contentsOf('acme')).toEqual(before);
    expect(await here.tenants.find({ isSuspended: true })).toEqual([]);
    await processes.write(here, 'acme');
  });

  it('is found damaged by verify() whichever byte is flipped, and then restores nothing', async () => {
    await raw('acme', (db) => db.dropDatabase());
    await raw('acme', (db) => db.collection('orders').insertMany([{ a: 1 }, { a: 2 }]));
    await backUp('acme', { format });
    const whole = await contentsOf('acme');
    for (const name of await readdir(folder)) {
      const file = join(folder, name);
      const bytes = await readFile(file);
      for (let at = 0; at < bytes.length; at++) {
        const damaged = Buffer.from(bytes);
        damaged[at]! ^= 1 << (at % 8);
        await writeFile(file, damaged);
        await expect(verify()).rejects.toThrow(BackupDamagedError);
      }
      await writeFile(file, bytes.subarray(0, -1));
      await expect(verify()).rejects.toThrow(BackupDamagedError);
      await expect(here.tenants.restore('acme', { from: folder, drop: true })).rejects.toThrow(BackupDamagedError);
      await writeFile(file, Buffer.concat([bytes, Buffer.of(0)]));
      await expect(verify()).rejects.toThrow(BackupDamagedError);
      await writeFile(file, bytes);
      await verify();
    }
    expect(await contentsOf('acme')).toEqual(whole);
  });
});

describe('backup()', () => {
  it('replaces no file, and leaves no half of one', async () => {
    await backUp();
    const before = await stat(join(folder, 'acme.json.gz'));
    await expect(backUp()).rejects.toThrow(BackupExistsError);
    expect((await stat(join(folder, 'acme.json.gz'))).mtimeMs).toBe(before.mtimeMs);
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    await expect(backUp('acme', { to: join(folder, 'nowhere') })).rejects.toThrow('ENOENT');
    expect(await readdir(folder)).toHaveLength(2);
  });

  it('is of all tenants, some at a time, and names those that failed', async () => {
    await here.tenants.provision('globex');
    const done: number[] = [];
    const results = await here.tenants.backup({
      to: (tenantId, part) => {
        if (tenantId === 'globex') throw new Error('disk full');
        return part === 'data' ? new PassThrough().resume() : new PassThrough().resume();
      },
      concurrency: 2,
      onError: 'collect',
      onProgress: ({ done: n }) => done.push(n),
    });
    expect(results.map(({ tenantId, ok }) => [tenantId, ok]).sort()).toEqual([
      ['acme', true],
      ['globex', false],
    ]);
    expect(done).toEqual([1, 2]);
  });

  it('writes to and reads from whatever streams are given', async () => {
    const written = new Map<string, Buffer[]>();
    const to = (tenantId: string, part: BackupPart) => {
      const chunks: Buffer[] = [];
      written.set(`${tenantId} ${part}`, chunks);
      return new Writable({ write: (chunk: Buffer, _, done) => void (chunks.push(chunk), done()) });
    };
    const from = (tenantId: string, part: BackupPart) => Readable.from(written.get(`${tenantId} ${part}`)!);
    await backUp('acme', { to });
    await here.tenants.restore('acme', { from, as: 'globex' });
    expect(await contentsOf('globex')).toEqual(await contentsOf('acme'));
  });

  it('is of a suspended tenant, too, and is no use of it', async () => {
    await processes.write(here, 'acme');
    const [before] = await here.tenants.find({ startsWith: 'acme' });
    await here.tenants.suspend('acme');
    await backUp();
    const [after] = await here.tenants.find({ startsWith: 'acme' });
    expect(after!.lastUsedAt).toEqual(before!.lastUsedAt);
  });

  it('says that the server no longer has the moment to read', async () => {
    const admin = here.pools.primary.client.db('admin');
    const data = { failCommands: ['find'], errorCode: 239, namespace: `${processes.database('acme')}.orders` };
    await admin.command({ configureFailPoint: 'failCommand', mode: 'alwaysOn', data });
    const failed = backUp();
    await expect(failed).rejects.toThrow(SnapshotExpiredError);
    await expect(failed).rejects.toThrow(/snapshot: false/);
    await admin.command({ configureFailPoint: 'failCommand', mode: 'off' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses options that make no sense', () => {
    expect(() => here.tenants.backup({} as never)).toThrow(PolyMongoOptionsError);
    expect(() => here.tenants.backup({ to: folder, format: 'zip' as never })).toThrow(/'archive' or 'json'/);
    expect(() => here.tenants.verify({ from: 7 as never })).toThrow(PolyMongoOptionsError);
  });
});

describe('restore()', () => {
  it('refuses a tenant that has something, and one whose backup is not there', async () => {
    await backUp();
    await expect(here.tenants.restore('acme', { from: folder })).rejects.toThrow(TenantNotEmptyError);
    await expect(here.tenants.restore('globex', { from: folder })).rejects.toThrow(BackupMissingError);
    const unsuspendable = processes.add({ exists: 'provisioned' });
    await expect(unsuspendable.tenants.restore('acme', { from: folder, drop: true })).rejects.toThrow(
      SuspensionOffError,
    );
    expect(await contentsOf('acme')).toHaveProperty('orders');
  });

  it('keeps the reason of a tenant that was suspended before', async () => {
    await backUp();
    await here.tenants.suspend('acme', { reason: 'unpaid' });
    await here.tenants.restore('acme', { from: folder, drop: true });
    expect(await here.tenants.find({ isSuspended: true })).toMatchObject([{ suspension: { reason: 'unpaid' } }]);
  });

  it(`goes on behind whatever step it was stopped at; until then the tenant has what it had, or is not served (POLYMONGO_SEED=${SEED})`, async () => {
    const before = await contentsOf('acme');
    await backUp();
    const admin = here.pools.primary.client.db('admin');
    const changed = async (): Promise<object> => {
      await raw('acme', (db) => db.collection('orders').updateOne({}, { $set: { n: -1 } }));
      return contentsOf('acme');
    };
    for (let i = 0; i < TIMES; i++) {
      const had = await changed();
      const skip = Math.floor(random() * STEPS);
      const data = { failCommands: WRITING, errorCode: 8000 };
      await admin.command({ configureFailPoint: 'failCommand', mode: { skip }, data });
      const stopped = await here.tenants.restore('acme', { from: folder, drop: true }).then(
        () => undefined,
        (error: unknown) => error,
      );
      await admin.command({ configureFailPoint: 'failCommand', mode: 'off' });
      const isServed = (await here.tenants.find({ isSuspended: true })).length === 0;
      if (stopped && isServed) expect(await ownContentsOf('acme')).toEqual(had);
      if (!stopped) continue;
      await here.tenants.restore('acme', { from: folder, drop: true });
      expect(await contentsOf('acme')).toEqual(before);
      expect(await here.tenants.find({ isSuspended: true })).toEqual([]);
    }
  });
});

describe('clone()', () => {
  it('gives a new tenant all that one has; the first is served meanwhile and after', async () => {
    const cloned = await here.tenants.clone('acme', 'globex');
    expect(cloned).toMatchObject({ tenantId: 'globex', database: processes.database('globex') });
    expect(await contentsOf('globex')).toEqual(await contentsOf('acme'));
    await processes.write(here, 'globex');
    expect(await processes.count(here, 'acme')).toBe(0);
  });

  it('is of a suspended tenant, too; what it gives is served', async () => {
    await here.tenants.suspend('acme');
    await here.tenants.clone('acme', 'globex');
    await processes.write(here, 'globex');
  });

  it('refuses a tenant that is there, and itself; begins anew after one that was ended', async () => {
    await here.tenants.provision('globex');
    await expect(here.tenants.clone('acme', 'globex')).rejects.toThrow(TenantNotEmptyError);
    await expect(here.tenants.clone('acme', 'acme')).rejects.toThrow(PolyMongoOptionsError);
    const admin = here.pools.primary.client.db('admin');
    const data = { failCommands: ['insert'], errorCode: 8000 };
    await admin.command({ configureFailPoint: 'failCommand', mode: { skip: 1 }, data });
    await expect(here.tenants.clone('acme', 'umbrella')).rejects.toThrow();
    await admin.command({ configureFailPoint: 'failCommand', mode: 'off' });
    await raw('umbrella', (db) => db.collection('left').insertOne({}));
    await here.tenants.clone('acme', 'umbrella');
    expect(await contentsOf('umbrella')).toEqual(await contentsOf('acme'));
  });
});
