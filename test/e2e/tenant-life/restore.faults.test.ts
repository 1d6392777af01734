import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Schema } from 'mongoose';
import type mongoose from 'mongoose';
import {
  BackupDamagedError,
  SnapshotExpiredError,
  TenantNotEmptyError,
  TenantSuspendedError,
  TenantTakenOverError,
  TenantUnfinishedError,
  type BackupPart,
  type PolyMongoWrapper,
} from 'nestjs-polymongo';
import { TenantProcesses } from '../../support/tenant-processes.js';
import { waitFor } from '../../support/wait-for.js';

const OPTIONS = { exists: 'provisioned', suspension: { withinMS: 100 } } as const;

let processes: TenantProcesses;
let here: PolyMongoWrapper;
let folder: string;

const raw = <T>(tenantId: string, fn: (db: mongoose.mongo.Db) => Promise<T>): Promise<T> =>
  fn(here.pools.primary.client.db(processes.database(tenantId)));
const fill = (tenantId: string, count = 20) =>
  raw(tenantId, (db) => db.collection('orders').insertMany(Array.from({ length: count }, (_, n) => ({ n }))));
const countOf = (tenantId: string) => raw(tenantId, (db) => db.collection('orders').countDocuments());
const backUp = () => here.tenants.backup({ to: folder, tenants: ['acme'] });
const failing = async <T>(failCommands: string[], skip: number, fn: () => Promise<T>): Promise<T> => {
  const admin = here.pools.primary.client.db('admin');
  const data = { failCommands, errorCode: 8000 };
  await admin.command({ configureFailPoint: 'failCommand', mode: { skip }, data });
  try {
    return await fn();
  } finally {
    await admin.command({ configureFailPoint: 'failCommand', mode: 'off' });
  }
};
/** Reads the backup of the folder, and does something whenever its data are opened. */
const watched = (onData: (times: number) => unknown) => {
  let times = 0;
  return async (tenantId: string, part: BackupPart): Promise<Readable> => {
    if (part === 'data') await onData(++times);
    return Readable.from([
      await readFile(join(folder, `${tenantId}.${part === 'data' ? 'json.gz' : 'manifest.json'}`)),
    ]);
  };
};

beforeEach(async () => {
  processes = await TenantProcesses.start();
  here = processes.add(OPTIONS, { shutdownTimeoutMS: 50 });
  folder = await mkdtemp(join(tmpdir(), 'restore-'));
  await here.tenants.provision('acme');
  await fill('acme');
});
afterEach(async () => {
  await processes.stop();
  await rm(folder, { recursive: true });
});

describe('a restore or clone that another process has taken over', () => {
  const takeOver = () =>
    processes
      .registry<{ _id: string; owner?: string }>('polymongo_tenants')
      .updateOne({ _id: 'acme' }, { $set: { owner: 'other' } });

  it('replaces nothing from then on', async () => {
    await backUp();
    await fill('acme', 5);
    const from = watched((times) => times === 2 && takeOver());
    await expect(here.tenants.restore('acme', { from, drop: true })).rejects.toThrow(TenantTakenOverError);
    expect(await countOf('acme')).toBe(25);
  });
});

describe('a tenant whose clone or restore has not ended', () => {
  it('is not made ready by provision(), and is finished by the same clone or restore', async () => {
    await backUp();
    const cloning = failing(['insert'], 1, () => here.tenants.clone('acme', 'globex'));
    await expect(cloning).rejects.toThrow();
    const restoring = failing(['insert'], 0, () => here.tenants.restore('acme', { from: folder, as: 'umbrella' }));
    await expect(restoring).rejects.toThrow();
    for (const id of ['globex', 'umbrella'])
      await expect(here.tenants.provision(id)).rejects.toThrow(TenantUnfinishedError);
    await here.tenants.clone('acme', 'globex');
    await here.tenants.restore('acme', { from: folder, as: 'umbrella' });
    for (const id of ['globex', 'umbrella']) expect([id, await countOf(id)]).toEqual([id, 20]);
    await here.tenants.provision('globex');
  });

  it('is neither backed up, cloned, resumed nor replaced by another backup when it is half swapped', async () => {
    await raw('acme', (db) => db.collection('second').insertOne({}));
    await backUp();
    const stopped = failing(['renameCollection'], 1, () => here.tenants.restore('acme', { from: folder, drop: true }));
    await expect(stopped).rejects.toThrow(TenantUnfinishedError);
    await here.tenants.resume('acme');
    await expect(processes.count(here, 'acme')).rejects.toThrow(TenantSuspendedError);
    const [backup] = await here.tenants.backup({
      to: () => new PassThrough().resume(),
      tenants: ['acme'],
      onError: 'collect',
    });
    expect(backup).toMatchObject({ ok: false, error: expect.any(TenantUnfinishedError) });
    await expect(here.tenants.clone('acme', 'globex')).rejects.toThrow(TenantUnfinishedError);

    await here.tenants.provision('hooli');
    const other = await mkdtemp(join(tmpdir(), 'other-'));
    await here.tenants.backup({ to: other, tenants: ['hooli'] });
    await expect(here.tenants.restore('hooli', { from: other, as: 'acme' })).rejects.toThrow(TenantNotEmptyError);
    await expect(processes.count(here, 'acme')).rejects.toThrow(TenantSuspendedError);
    await rm(other, { recursive: true });

    await here.tenants.restore('acme', { from: folder, drop: true });
    expect(await countOf('acme')).toBe(20);
    await processes.count(here, 'acme');
  });
});

describe('a restore', () => {
  it('is of documents that a TTL index has deleted since, too', async () => {
    await raw('acme', async (db) => {
      await db.collection('sessions').createIndex({ until: 1 }, { expireAfterSeconds: 3_600 });
      await db.collection('sessions').insertMany([{ until: new Date(Date.now() + 3_600_000) }, { n: 1 }]);
    });
    await backUp();
    const from = watched(() => {});
    const deleting = raw('globex', async (db) => {
      await waitFor(async () => (await db.listCollections({ name: /^polymongo_restored/ }).toArray()).length === 3);
      const names = (await db.listCollections({ name: /^polymongo_restored/ }, { nameOnly: true }).toArray()).map(
        ({ name }) => name,
      );
      for (const name of names) await db.collection(name).deleteMany({ until: { $exists: true } }); // as the TTL monitor does
    });
    await Promise.all([here.tenants.restore('acme', { from, as: 'globex' }), deleting]);
    expect(await countOf('globex')).toBe(20);
  });

  it('and a clone are of documents that are older than their validator, too', async () => {
    await raw('acme', (db) =>
      db.command({ collMod: 'orders', validator: { email: { $type: 'string' } }, validationLevel: 'moderate' }),
    );
    await backUp();
    await here.tenants.restore('acme', { from: folder, as: 'globex' });
    await here.tenants.clone('acme', 'umbrella');
    for (const id of ['globex', 'umbrella']) {
      expect(await countOf(id)).toBe(20);
      await expect(raw(id, (db) => db.collection('orders').insertOne({ n: 1 }))).rejects.toThrow('validation');
    }
  });

  it('without drop keeps what was written to the tenant meanwhile, and ends', async () => {
    await backUp();
    await here.tenants.provision('globex');
    await raw('globex', (db) => db.dropDatabase());
    const from = watched((times) => times === 2 && fill('globex', 3));
    await expect(here.tenants.restore('acme', { from, as: 'globex' })).rejects.toThrow(TenantNotEmptyError);
    expect(await countOf('globex')).toBe(3);
    await processes.count(here, 'globex');
  });

  it('lets nobody in before it has ended, whoever resumes the tenant', async () => {
    await backUp();
    let isOver = false;
    const resuming = (async () => {
      while (!isOver) await here.tenants.resume('acme').then(() => turn());
    })();
    let served = 0;
    const began = waitFor(async () => (await here.tenants.find({ isSuspended: true })).length > 0).then(async () => {
      while (!isOver && (await here.tenants.find({ isSuspended: true })).length > 0)
        await processes.count(here, 'acme').then(
          () => served++,
          () => turn(),
        );
    });
    await here.tenants.restore('acme', { from: folder, drop: true });
    isOver = true;
    await Promise.all([resuming, began]);
    expect(served).toBeLessThanOrEqual(1); // the look before may be older than the end
  });

  it('lets go of the tenant where it ends before anything is put in place', async () => {
    await backUp();
    const stop = new AbortController();
    here.tenants.onSuspended(() => stop.abort(new Error('enough')));
    await expect(here.tenants.restore('acme', { from: folder, drop: true, signal: stop.signal })).rejects.toThrow(
      'enough',
    );
    expect(await here.tenants.find({ isSuspended: true })).toEqual([]);
    await processes.count(here, 'acme');
  });

  it('has the other processes make their collections and indexes again', async () => {
    await raw('acme', (db) => db.dropDatabase());
    await backUp();
    const other = processes.add(OPTIONS);
    const restored = new Promise((resolve) => other.pools.events.on('tenantRestored', resolve));
    other.wrapModel(
      other.models.define({ name: 'Member', schema: new Schema({ email: { type: String, unique: true } }) }),
    );
    const members = () => other.wrapModel(other.models.blueprint('Member')).tenant();
    await other.tenants.run('acme', () => members().create({ email: 'a' }));
    other.tenants.onResumed(() => {});
    await here.tenants.restore('acme', { from: folder, drop: true });
    await restored;
    await other.tenants.run('acme', () => members().create({ email: 'a' }));
    await expect(other.tenants.run('acme', () => members().create({ email: 'a' }))).rejects.toThrow('E11000');
  });

  it('takes no backup of another tenant, and none that is another one when it is read again', async () => {
    await backUp();
    const foreign = watched(() => {});
    await expect(here.tenants.restore('globex', { from: (_, part) => foreign('acme', part) })).rejects.toThrow(
      /one of tenant acme/,
    );
    const [manifest, data] = await Promise.all(
      ['acme.manifest.json', 'acme.json.gz'].map((name) => readFile(join(folder, name))),
    );
    await raw('acme', (db) => db.collection('orders').updateOne({}, { $set: { n: 'other' } }));
    const later = await mkdtemp(join(tmpdir(), 'later-'));
    await here.tenants.backup({ to: later, tenants: ['acme'] });
    const otherData = await readFile(join(later, 'acme.json.gz'));
    let opened = 0;
    const from = (_: string, part: BackupPart) =>
      Readable.from([part === 'manifest' ? manifest! : opened++ === 0 ? data! : otherData]);
    await expect(here.tenants.restore('acme', { from, as: 'globex' })).rejects.toThrow(BackupDamagedError);
    expect(await countOf('globex')).toBe(0);
    await rm(later, { recursive: true });
  });

  it('tells of a source that cannot be read by its own error, and ends with its signal where one gives nothing', async () => {
    await backUp();
    const down = () =>
      Readable.from(
        (async function* () {
          yield await Promise.reject(new Error('S3 down'));
        })(),
      );
    const manifest = watched(() => {});
    const from = (id: string, part: BackupPart) => (part === 'data' ? down() : manifest(id, part));
    await expect(here.tenants.restore('acme', { from, as: 'globex' })).rejects.toThrow('S3 down');
    const stop = new AbortController();
    const silent = (id: string, part: BackupPart) => {
      if (part === 'manifest') return manifest(id, part);
      setImmediate(() => stop.abort(new Error('enough')));
      return new PassThrough();
    };
    await expect(here.tenants.restore('acme', { from: silent, as: 'globex', signal: stop.signal })).rejects.toThrow(
      'enough',
    );
  });

  it('brings back stored JavaScript', async () => {
    await raw('acme', (db) => db.collection('system.js').insertOne({ _id: 'f', value: 1 } as never));
    await backUp();
    await raw('acme', (db) => db.collection('system.js').insertOne({ _id: 'g', value: 2 } as never));
    await here.tenants.restore('acme', { from: folder, drop: true });
    expect(await raw('acme', (db) => db.collection('system.js').find().toArray())).toEqual([{ _id: 'f', value: 1 }]);
  });
});

describe('a backup', () => {
  it('ends with the error of what cannot be opened, of however much it is', async () => {
    await raw('acme', (db) =>
      db.collection('large').insertMany(Array.from({ length: 200 }, () => ({ text: 'x'.repeat(50_000) }))),
    );
    for (const to of [
      () => {
        throw new Error('no bucket');
      },
      () => Promise.reject(new Error('no bucket')),
      () => new PassThrough().destroy(new Error('no bucket')),
    ]) {
      const [result] = await here.tenants.backup({ to, tenants: ['acme'], onError: 'collect' });
      expect(result).toMatchObject({ ok: false });
    }
    const stop = new AbortController();
    const never = () => {
      setImmediate(() => stop.abort(new Error('enough')));
      return new Promise<PassThrough>(() => {});
    };
    await expect(here.tenants.backup({ to: never, tenants: ['acme'], signal: stop.signal })).rejects.toThrow('enough');
    const database = here.pools.database(processes.database('acme'));
    await waitFor(() => database.leaseCount === 0);
  });

  it('and a clone say that the moment to read is gone', async () => {
    const admin = here.pools.primary.client.db('admin');
    const data = { failCommands: ['find'], errorCode: 246, namespace: `${processes.database('acme')}.orders` };
    await admin.command({ configureFailPoint: 'failCommand', mode: 'alwaysOn', data });
    await expect(here.tenants.clone('acme', 'globex')).rejects.toThrow(SnapshotExpiredError);
    await admin.command({ configureFailPoint: 'failCommand', mode: 'off' });
  });
});
