import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ConnectionStats, PolyModel, PolyMongoOptions, PolyMongoWrapper } from 'nestjs-polymongo';
import { numbered, wrapItems, type Item } from '../../support/items.js';
import { eventually, ONE_MONITOR } from '../../support/server-probe.js';
import { settle } from '../../support/settling.js';
import { MortalServer } from '../../support/mortal-server.js';
import { usePools } from '../../support/pools-fixture.js';
import { turns } from '../../support/turns.js';

const MAX = 3;
const withPassword = (uri: string) => uri.replace('mongodb://', 'mongodb://ann:s3cret@');
const fixture = usePools({ users: [{ username: 'ann', password: 's3cret' }] }, withPassword);
let polymongo: PolyMongoWrapper;
let items: PolyModel<Item>;

beforeEach(async () => {
  create();
  await items.deleteMany();
});

function create(options: Partial<PolyMongoOptions> = {}) {
  polymongo = fixture.create({
    maxPoolSize: MAX,
    driverOptions: { ...ONE_MONITOR, heartbeatFrequencyMS: 500 },
    dbSpecific: [{ dbName: 'own', options: { maxConnections: 2 } }],
    ...options,
  });
  items = wrapItems(polymongo);
}
const primary = () => polymongo.stats.general().primary.poolStats;
const sockets = async () => (await fixture.probe.sockets()) - polymongo.stats.general().totalActivePools;

describe('stats.general()', () => {
  it('counts what is in use, free and waiting, and agrees with the server at rest', async () => {
    await items.insertMany(numbered(5));
    fixture.server.stall(150);
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
      await turns(2 * i);
      fixture.server.dropConnections();
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
    fixture.server.stall(100);
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

it('isConnected() and getConnectionState() follow the primary pool and its server', async () => {
  const mortal = await MortalServer.start();
  const driverOptions = { ...ONE_MONITOR, heartbeatFrequencyMS: 500, serverSelectionTimeoutMS: 200 };
  polymongo = fixture.create({ mongoURI: mortal.uri, driverOptions });
  const both = () => [polymongo.getConnectionState(), polymongo.isConnected()];
  const states = new Set<unknown>();
  polymongo.pools.events.on('poolState', () => states.add(polymongo.getConnectionState()));
  expect(both()).toEqual(['disconnected', false]);
  await polymongo.pools.connect('default');
  expect(both()).toEqual(['connected', true]);
  await mortal.kill();
  await eventually(() => expect(both()).toEqual(['connected', false]));
  await mortal.start();
  await eventually(() => expect(both()).toEqual(['connected', true]));
  await polymongo.actions.closeAll();
  expect(both()).toEqual(['disconnected', false]);
  expect([...states]).toEqual(['connecting', 'connected', 'disconnecting', 'disconnected']);
  await mortal.kill();
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

  describe('of a database whose pool is busy', () => {
    /** Both sockets of the pool are in use for so long; gives what waits for their end. */
    async function occupy(forMS: number): Promise<() => Promise<unknown>> {
      await items.db('own').deleteMany();
      await items.db('own').insertMany(numbered(2));
      const { pool } = polymongo.pools.database('own');
      const streams = [0, 1].map(() => pool.client.db('own').watch([], { maxAwaitTimeMS: forMS }));
      const ends = streams.map((stream) => stream.tryNext().finally(() => stream.close()));
      const isFree = settle(ends); // also of those that the test cuts
      await eventually(() => expect(pool.stats.inUseConnections).toBe(2));
      return () => isFree;
    }
    /** The connections that were ever made beside the pool's own. */
    const connectionsMade = async () => (await fixture.probe.connections()).totalCreated;

    it('for more than 500 ms takes a connection of its own, and closes it', async () => {
      const isFree = await occupy(2_000);
      const before = await sockets();
      const startedAt = performance.now();
      expect((await polymongo.stats.db('own')).collections).toMatchObject([{ docCount: 2 }]);
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(499);
      expect(polymongo.pools.poolOf('own').stats.inUseConnections).toBe(2);
      await eventually(async () => expect(await sockets()).toBe(before));
      expect(polymongo.pools.poolOf('own').leaseCount).toBe(0);
      await isFree();
    });

    it('for less waits for the pool', async () => {
      const isFree = await occupy(300);
      const before = await connectionsMade();
      const stats = polymongo.stats.db('own');
      await eventually(() => expect(polymongo.pools.poolOf('own').stats.waitQueueSize).toBe(1));
      expect((await stats).numCollections).toBe(1);
      await isFree();
      expect(await connectionsMade()).toBe(before);
    });

    it('does not take it for the pool when the server is slow', async () => {
      await items.db('own').insertMany(numbered(2));
      const before = await connectionsMade();
      fixture.server.stall(1_200);
      expect((await polymongo.stats.db('own')).numCollections).toBe(1);
      expect(await connectionsMade()).toBe(before);
    });

    it.each([
      ['counts in maxTotalConnections while it is open', 6, 6],
      ['is not made when those are all taken: the question waits for the pool', 5, 5],
    ])('%s', async (_, maxTotalConnections, most) => {
      await polymongo.actions.closeAll();
      create({ maxTotalConnections });
      await items.countDocuments();
      const isFree = await occupy(2_000);
      const { budget } = polymongo.pools;
      let [used, isAnswered] = [0, false];
      const stats = polymongo.stats.db('own').finally(() => (isAnswered = true));
      const until = Date.now() + 1_500;
      while (!isAnswered && Date.now() < until) {
        used = Math.max(used, budget.used);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(isAnswered).toBe(most > MAX + 2);
      await isFree();
      expect((await stats).numCollections).toBe(1);
      expect(used).toBe(most);
      expect(budget.used).toBe(MAX + 2);
    });

    it('ends with the pool', async () => {
      await items.countDocuments();
      await occupy(3_000);
      const stats = polymongo.stats.db('own');
      await eventually(() => expect(polymongo.pools.budget.used).toBe(MAX + 3));
      await Promise.all([expect(stats).rejects.toThrow(), polymongo.actions.forceCloseAll()]);
      expect(polymongo.pools.budget.used).toBe(0);
    });
  });
});
