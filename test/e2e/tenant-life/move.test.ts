import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { mongo } from 'mongoose';
import {
  ClusterUnreachableError,
  MoveDifferenceError,
  MoveLeftoverError,
  MoveRefusedError,
  PolyMongoOptionsError,
  TenantMovingError,
  TenantNotEmptyError,
  type MoveProgress,
  type PolyMongoWrapper,
} from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { TenantProcesses } from '../../support/tenant-processes.js';

const QUICK = { shutdownTimeoutMS: 100 };
const TENANT = { exists: 'provisioned', suspension: { withinMS: 200 } } as const;
const OFFLINE = { to: 'eu-2', online: false } as const;

let processes: TenantProcesses;
let elsewhere: EmbeddedMongo;
let here: PolyMongoWrapper;
let other: PolyMongoWrapper;
let database: string;

const join = (uri = elsewhere.uri) => processes.add(TENANT, { ...QUICK, clusters: { 'eu-2': { mongoURI: uri } } });
/** A tenant's database at one of the ends, past every rule. */
const at = async <T>(end: 'source' | 'target', fn: (db: mongo.Db) => Promise<T>): Promise<T> => {
  const { MongoClient } = here.pools.mongoose.mongo;
  const client = new MongoClient(end === 'source' ? processes.server.uri : elsewhere.uri);
  try {
    return await fn(client.db(database));
  } finally {
    await client.close();
  }
};
const collectionsAt = (end: 'source' | 'target') =>
  at(end, async (db) => (await db.listCollections().toArray()).map(({ name, type }) => `${type} ${name}`).sort());

beforeEach(async () => {
  processes = await TenantProcesses.start();
  elsewhere = await EmbeddedMongo.start();
  database = processes.database('acme');
  [here, other] = [join(), join()];
  await here.tenants.provision('acme');
  await processes.write(here, 'acme');
  await processes.write(other, 'acme');
});
afterEach(async () => {
  await processes.stop();
  await elsewhere.stop();
});

describe('tenants.move()', () => {
  it('has every process find the tenant on the other cluster, with documents, indexes, options and views', async () => {
    await at('source', async (db) => {
      await db.createCollection('checked', { collation: { locale: 'de' }, validator: { n: { $gt: 5 } } });
      await db.collection('checked').insertMany([{ n: 6 }, { n: 1 }], { bypassDocumentValidation: true });
      await db.collection('checked').createIndex({ n: 1 }, { name: 'by_n', unique: true });
      await db.createCollection('few', { viewOn: 'checked', pipeline: [{ $match: { n: 6 } }] });
    });
    expect(await here.tenants.move('acme', OFFLINE)).toEqual({
      tenantId: 'acme',
      from: null,
      to: 'eu-2',
      isOneCluster: false,
    });
    for (const polymongo of [here, other]) expect(await processes.count(polymongo, 'acme')).toBe(2);
    await processes.write(other, 'acme');
    expect(await processes.count(here, 'acme')).toBe(3);
    expect(await here.tenants.find({ cluster: 'eu-2' })).toMatchObject([{ tenantId: 'acme', suspension: undefined }]);
    await at('target', async (db) => {
      expect(await db.collection('few').find().toArray()).toMatchObject([{ n: 6 }]);
      expect(await db.collection('checked').indexes()).toMatchObject([{}, { name: 'by_n', unique: true }]);
      expect(await db.collection('checked').countDocuments()).toBe(2);
      await expect(db.collection('checked').insertOne({ n: 2 })).rejects.toMatchObject({ code: 121 });
    });
  });

  it('leaves a fence at the source: what anybody writes there is refused and not done, and can still be read', async () => {
    await here.tenants.move('acme', OFFLINE);
    await at('source', async (db) => {
      await expect(db.collection('notes').insertOne({ tenant: 'late' })).rejects.toMatchObject({ code: 166 });
      expect(await db.collection('notes').countDocuments()).toBe(2);
    });
  });

  it('tells what it does', async () => {
    const steps: string[] = [];
    const watched: MoveProgress[] = [];
    here.tenants.moves$.subscribe((progress) => watched.push(progress));
    await here.tenants.move('acme', { ...OFFLINE, onProgress: ({ phase, step }) => steps.push(`${phase} ${step}`) });
    const order = ['proving prove', 'copying hold', 'copying fence', 'copying stage', 'copying verify', 'placing hold'];
    expect([...new Set(steps)]).toEqual([...order, 'placing place', 'moved release']);
    expect(watched.at(-1)).toMatchObject({ tenantId: 'acme', from: null, to: 'eu-2', documents: 2 });
  });

  it('only changes the pool where both names are one cluster, and the tenant is served all the while', async () => {
    const [first, second] = [0, 1].map(() =>
      processes.add(TENANT, {
        ...QUICK,
        clusters: {
          same: { mongoURI: `${processes.server.uri}&appName=same`, options: { maxConnections: 3 } },
          'eu-2': { mongoURI: elsewhere.uri },
        },
      }),
    );
    await here.actions.forceCloseAll();
    await other.actions.forceCloseAll();
    processes.all.splice(0, 2);
    expect(await first!.tenants.move('acme', { to: 'same', online: false })).toMatchObject({ isOneCluster: true });
    expect(await processes.count(second!, 'acme')).toBe(2);
    expect(second!.pools.poolOf(database).config.maxConnections).toBe(3);
    here = first!;
    expect(await collectionsAt('source')).toEqual(['collection notes']);
    await first!.tenants.confirm('acme');
    expect(await processes.count(first!, 'acme')).toBe(2);
  });

  it('refuses a target on which something is, and leaves it and the tenant as they are', async () => {
    await at('target', (db) => db.collection('foreign').insertOne({ a: 1 }));
    await expect(here.tenants.move('acme', OFFLINE)).rejects.toThrow(TenantNotEmptyError);
    expect(await collectionsAt('target')).toEqual(['collection foreign']);
    expect(await collectionsAt('source')).toEqual(['collection notes']);
    await processes.write(other, 'acme');
  });

  it('begins nothing where a live process does not reach the target', async () => {
    const apart = await EmbeddedMongo.start();
    const lost = join(apart.uri); // another cluster by the same name
    await processes.count(lost, 'acme');
    const refused = here.tenants.move('acme', OFFLINE);
    await expect(refused).rejects.toThrow(ClusterUnreachableError);
    await expect(refused).rejects.toMatchObject({ cluster: 'eu-2', processes: 1 });
    await apart.stop();
    expect(await collectionsAt('source')).toEqual(['collection notes']);
    await processes.write(other, 'acme');
  });

  it('refuses what cannot be fenced, and what is not offered', async () => {
    await expect(here.tenants.move('acme', { to: 'eu-2' } as never)).rejects.toThrow(PolyMongoOptionsError);
    await expect(here.tenants.move('acme', { to: 'eu-2', online: true } as never)).rejects.toThrow(
      /online must be false/,
    );
    await at('source', (db) => db.createCollection('measured', { timeseries: { timeField: 'at' } }));
    await expect(here.tenants.move('acme', OFFLINE)).rejects.toThrow(MoveRefusedError);
    await processes.write(other, 'acme');
  });

  it.each(['hold', 'fence', 'stage', 'verify', 'place', 'release'])(
    'is gone on with by another process, or taken back, when it ends at: %s',
    async (step) => {
      const stop = new AbortController();
      const onProgress = (progress: MoveProgress) => progress.step === step && stop.abort(new Error('stopped'));
      await here.tenants.move('acme', { ...OFFLINE, signal: stop.signal, onProgress }).catch(() => {});
      await other.tenants.move('acme', OFFLINE);
      for (const polymongo of [here, other]) expect(await processes.count(polymongo, 'acme')).toBe(2);
      expect(await collectionsAt('target')).toEqual(['collection notes']);
    },
  );
});

describe('rollback()', () => {
  it('has the tenant where it was, with what it had', async () => {
    await here.tenants.move('acme', OFFLINE);
    await other.tenants.rollback('acme');
    for (const polymongo of [here, other]) expect(await processes.count(polymongo, 'acme')).toBe(2);
    await processes.write(here, 'acme');
    expect(await at('source', (db) => db.collection('notes').countDocuments())).toBe(3);
    expect(await at('target', (db) => db.collection('notes').countDocuments())).toBe(0);
    await expect(here.tenants.rollback('acme')).rejects.toThrow(MoveRefusedError);
  });

  it('is refused once the tenant was written to where it is now, and loses that only where it is told to', async () => {
    await here.tenants.move('acme', OFFLINE);
    await processes.write(other, 'acme');
    for (let n = 0; n < 2; n++) await expect(here.tenants.rollback('acme')).rejects.toThrow(MoveDifferenceError);
    await processes.write(other, 'acme');
    expect(await processes.count(here, 'acme')).toBe(4);
    await here.tenants.rollback('acme', { discardWrites: true });
    expect(await processes.count(other, 'acme')).toBe(2);
  });

  it('lets the tenant be moved again', async () => {
    await here.tenants.move('acme', OFFLINE);
    await here.tenants.rollback('acme');
    await processes.write(here, 'acme');
    await here.tenants.move('acme', OFFLINE);
    expect(await processes.count(other, 'acme')).toBe(3);
  });
});

describe('confirm()', () => {
  it('drops what is at the source, on which nobody can write any more, and ends the move', async () => {
    await here.tenants.move('acme', OFFLINE);
    await other.tenants.confirm('acme');
    await at('source', async (db) => {
      expect(await db.collection('notes').countDocuments()).toBe(0);
      await expect(db.collection('notes').insertOne({ tenant: 'late' })).rejects.toMatchObject({ code: 166 });
    });
    expect(await processes.count(here, 'acme')).toBe(2);
    await expect(here.tenants.confirm('acme')).rejects.toThrow(MoveRefusedError);
  });

  it('drops nothing where something has been written past the fence', async () => {
    await here.tenants.move('acme', OFFLINE);
    await at('source', (db) => db.collection('strange').insertOne({ a: 1 }));
    await expect(here.tenants.confirm('acme')).rejects.toThrow(MoveLeftoverError);
    expect(await at('source', (db) => db.collection('notes').countDocuments())).toBe(2);
    await at('source', (db) => db.collection('strange').drop());
    await here.tenants.confirm('acme');
  });
});

it('a tenant whose move has not ended is not dropped', async () => {
  await here.tenants.move('acme', OFFLINE);
  await expect(here.tenants.deprovision('acme', { confirm: 'acme' })).rejects.toThrow(TenantMovingError);
  await here.tenants.confirm('acme');
  await here.tenants.deprovision('acme', { confirm: 'acme' });
});
