import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PolyMongoWrapper, type ConnectionStats, type PolyModel } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { numbered, wrapItems, type Item } from '../../support/items.js';
import { eventually, ONE_MONITOR, ServerProbe } from '../../support/server-probe.js';
import { settle } from '../../support/settling.js';

const MAX = 3;
let server: EmbeddedMongo;
let probe: ServerProbe;
let polymongo: PolyMongoWrapper;
let items: PolyModel<Item>;

beforeAll(async () => {
  server = await EmbeddedMongo.start({ users: [{ username: 'ann', password: 's3cret' }] });
  probe = await ServerProbe.open(withPassword(server.uri));
});
afterAll(async () => {
  await probe.close();
  await server.stop();
});
beforeEach(async () => {
  const mongoURI = withPassword(server.uri);
  polymongo = new PolyMongoWrapper(
    {
      mongoURI,
      maxPoolSize: MAX,
      driverOptions: { ...ONE_MONITOR, heartbeatFrequencyMS: 500 },
      dbSpecific: [{ dbName: 'own', options: { maxConnections: 2 } }],
    },
    'nest',
  );
  items = wrapItems(polymongo);
  await items.deleteMany();
});
afterEach(() => polymongo.actions.forceCloseAll());

const withPassword = (uri: string) => uri.replace('mongodb://', 'mongodb://ann:s3cret@');
const primary = () => polymongo.stats.general().primary.poolStats;
const sockets = async () => (await probe.sockets()) - polymongo.stats.general().totalActivePools;

describe('stats.general()', () => {
  it('counts what is in use, free and waiting, and agrees with the server at rest', async () => {
    await items.insertMany(numbered(5));
    server.stall(150);
    const calls = Array.from({ length: 10 }, () => items.countDocuments().exec());
    await eventually(() => {
      const { inUseConnections, waitQueueSize, availableConnections } = primary();
      expect(waitQueueSize).toBeGreaterThan(0);
      expect(inUseConnections + waitQueueSize).toBe(10);
      expect(availableConnections).toBe(0);
    });
    await settle(calls);
    await eventually(() => expect(primary()).toMatchObject({ inUseConnections: 0, waitQueueSize: 0 }));
    const { totalConnections, availableConnections } = primary();
    expect(totalConnections).toBeLessThanOrEqual(MAX);
    expect(availableConnections).toBe(totalConnections);
    expect(await sockets()).toBe(totalConnections);
  });

  it('stays true when sockets die: under work, at rest, and while they are being made', async () => {
    await items.countDocuments();
    for (let i = 0; i < 5; i++) {
      const calls = Array.from({ length: 20 }, () => items.countDocuments().exec());
      await new Promise((resolve) => setTimeout(resolve, i));
      server.dropConnections();
      await settle(calls);
    }
    await eventually(async () => {
      await items.countDocuments();
      await items.db('own').countDocuments();
      const { totalConnectionsAcrossPools } = polymongo.stats.general();
      expect(primary()).toMatchObject({ inUseConnections: 0, waitQueueSize: 0 });
      expect(await sockets()).toBe(totalConnectionsAcrossPools);
    });
  });

  it('forgets who gave up waiting for a socket', async () => {
    await items.countDocuments();
    const lease = await polymongo.pools.database('default').enter('operation');
    const collection = lease.pool.client.db('default').collection('items');
    server.stall(100);
    const busy = Array.from({ length: MAX * 2 }, () => collection.countDocuments());
    await eventually(() => expect(primary().waitQueueSize).toBeGreaterThan(0));
    const aborted = collection
      .find({}, { signal: AbortSignal.timeout(10) } as never)
      .toArray()
      .catch((error: unknown) => error);
    expect(await aborted).toBeInstanceOf(Error);
    await settle(busy);
    lease.release();
    await eventually(() => expect(primary()).toMatchObject({ waitQueueSize: 0, inUseConnections: 0 }));
  });

  it('is zero again after a close', async () => {
    await Promise.all([items.countDocuments(), items.db('own').countDocuments()]);
    expect(polymongo.stats.general().totalActivePools).toBe(2);
    await polymongo.actions.closeAll();
    expect(polymongo.stats.general()).toMatchObject({ totalActivePools: 0, totalConnectionsAcrossPools: 0 });
  });

  it('names the shared databases in use and shows no password', async () => {
    await Promise.all([items.db('shared_a').findOne(), items.db('own').findOne()]);
    const stats = polymongo.stats.general();
    expect(stats.primary.sharedDatabases).toEqual(expect.arrayContaining(['shared_a']));
    expect(stats.primary.sharedDatabases).not.toContain('own');
    expect(stats.separateDB[0]).toMatchObject({ dbName: 'own', config: { maxConnections: 2 } });
    expect(stats.separateDB[0]!.lastAccessed).toBeGreaterThan(Date.now() - 10_000);
    expect(JSON.stringify([stats, await polymongo.stats.db('own')])).not.toContain('s3cret');
  });
});

it('stats.general$() gives the state at once and again when something changed, and stops with its subscription', async () => {
  const seen: ConnectionStats[] = [];
  const subscription = polymongo.stats.general$(5).subscribe((stats) => seen.push(stats));
  expect(seen).toHaveLength(1);
  await items.db('own').findOne();
  await eventually(() => expect(seen.at(-1)).toMatchObject({ separateDB: [{ isInitialized: true }] }));
  subscription.unsubscribe();
  const { length } = seen;
  await polymongo.actions.closeAll();
  expect(seen).toHaveLength(length);
});

describe('stats.db()', () => {
  it('counts documents and tells when the database was last used', async () => {
    await items.db('sized').insertMany(numbered(100));
    const before = Date.now();
    const stats = await polymongo.stats.db('sized');
    expect(stats).toMatchObject({
      numCollections: 1,
      collections: [{ name: 'items', docCount: 100 }],
      isInitialized: true,
    });
    expect(stats.sizeMb).toBeGreaterThan(0);
    expect(stats.lastUsed!.getTime()).toBeLessThanOrEqual(before);
    expect((await polymongo.stats.db('never')).lastUsed).toBeUndefined();
  });

  it('takes a connection of its own when the pool is busy for long, and closes it', async () => {
    await items.db('own').insertMany(numbered(2));
    const database = polymongo.pools.database('own');
    const { client } = database.pool;
    const sessions = [client.startSession(), client.startSession()];
    const streams = sessions.map(() => client.db('own').watch([], { maxAwaitTimeMS: 3_000 }));
    const changes = streams.map((stream) => stream.tryNext());
    await eventually(() => expect(database.pool.stats.inUseConnections).toBe(2));
    const stats = await polymongo.stats.db('own');
    expect(stats.collections).toMatchObject([{ docCount: 2 }]);
    expect(database.pool.stats.inUseConnections).toBe(2);
    await items.db('own2').findOne();
    await Promise.all(streams.map((stream) => stream.close()));
    await settle(changes);
    await eventually(async () => expect(await sockets()).toBe(polymongo.stats.general().totalConnectionsAcrossPools));
  });
});
