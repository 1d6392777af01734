import { describe, expect, it } from '@jest/globals';
import { ConnectionBudgetError, type PolyMongoOptions, type PolyMongoWrapper } from 'nestjs-polymongo';
import { numbered, wrapItems } from '../../support/items.js';
import { ONE_MONITOR } from '../../support/server-probe.js';
import { settle } from '../../support/settling.js';
import { usePools } from '../../support/pools-fixture.js';

const fixture = usePools();
let polymongo: PolyMongoWrapper;

function create(options: Partial<PolyMongoOptions>) {
  polymongo = fixture.create({ driverOptions: ONE_MONITOR, ...options });
  return wrapItems(polymongo, { autoIndex: false });
}

describe('maxTotalConnections', () => {
  it('100 tenants with pools of 10 share 50 sockets: 2,000 requests at once are all served, and the server sees no more', async () => {
    const tenants = Array.from({ length: 100 }, (_, i) => `budget_${i}`);
    const items = create({
      maxTotalConnections: 50,
      waitQueueTimeoutMS: 30_000,
      dbSpecific: tenants.map((dbName) => ({ dbName, options: { maxConnections: 10 } })),
    });
    let [most, isDone] = [0, false];
    const watching = (async () => {
      while (!isDone) {
        const monitors = [...polymongo.pools.separate.values()].filter((pool) => !pool.isAtRest).length;
        most = Math.max(most, (await fixture.probe.sockets()) - monitors);
      }
    })();
    const calls = Array.from({ length: 2_000 }, (_, i) =>
      items
        .db(tenants[i % 100]!)
        .countDocuments()
        .exec(),
    );
    const results = await settle(calls, 30_000);
    isDone = true;
    await watching;
    expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(50);
    expect(polymongo.pools.budget.used).toBeLessThanOrEqual(50);
  });

  it('closes the least recently used pool without work, and only that', async () => {
    const items = create({ maxTotalConnections: 6, maxPoolSize: 2 });
    for (const name of ['a', 'b', 'c']) polymongo.scale.setDB(name);
    await items.db('a').countDocuments();
    await items.db('b').countDocuments();
    await items.db('c').countDocuments();
    await new Promise((resolve) => setTimeout(resolve, 2));
    await items.db('a').countDocuments();
    await items.countDocuments();
    expect(['a', 'b', 'c'].map((name) => polymongo.pools.poolOf(name).state)).toEqual([
      'connected',
      'closed',
      'connected',
    ]);
  });

  it('never cuts work: when all pools are busy, callers wait and hear which budget it was and how full', async () => {
    const items = create({ maxTotalConnections: 2, maxPoolSize: 2, waitQueueTimeoutMS: 100, shutdownTimeoutMS: 200 });
    await items.insertMany(numbered(6));
    const cursor = items.find().cursor({ batchSize: 2 });
    await cursor.next();
    polymongo.scale.setDB('other');
    const refused = items.db('other').countDocuments().exec();
    await expect(refused).rejects.toThrow(ConnectionBudgetError);
    await expect(refused).rejects.toThrow(/2 of maxTotalConnections 2 .* 100 ms/);
    let rest = 0;
    for await (const _ of cursor) rest++;
    expect(rest).toBe(5);
    expect(await items.db('other').countDocuments()).toBe(0);
    await items.deleteMany();
  });

  it('does not cut an operation that outlives the wait for its pool to make room', async () => {
    const items = create({ maxTotalConnections: 2, maxPoolSize: 2, waitQueueTimeoutMS: 2_000, shutdownTimeoutMS: 50 });
    polymongo.scale.setDB('other');
    await items.countDocuments();
    const primary = polymongo.pools.database('default');
    let end = () => {};
    const slow = primary.run(() => new Promise<void>((resolve) => (end = resolve)));
    const waiting = items.db('other').countDocuments().exec();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(polymongo.pools.primary.state).toBe('connected');
    expect(primary.leaseCount).toBe(1);
    end();
    await slow;
    expect(await waiting).toBe(0);
  });

  it('takes turns when every pool is busy all the time', async () => {
    const items = create({ maxTotalConnections: 2, maxPoolSize: 2, waitQueueTimeoutMS: 5_000 });
    for (const name of ['a', 'b', 'c']) polymongo.scale.setDB(name);
    const counts = new Map<string, number>();
    const until = Date.now() + 400;
    const work = ['a', 'b', 'c'].flatMap((name) =>
      Array.from({ length: 3 }, async () => {
        while (Date.now() < until) {
          await items.db(name).countDocuments();
          counts.set(name, (counts.get(name) ?? 0) + 1);
        }
      }),
    );
    expect((await settle(work)).filter(({ status }) => status === 'rejected')).toEqual([]);
    expect([...counts.keys()].sort()).toEqual(['a', 'b', 'c']);
  });

  it('counts a pool that could not connect no longer', async () => {
    const items = create({
      maxTotalConnections: 10,
      maxPoolSize: 10,
      driverOptions: { serverSelectionTimeoutMS: 100 },
    });
    polymongo.scale.setDB('far', { mongoURI: 'mongodb://127.0.0.1:1/' });
    await expect(items.db('far').countDocuments()).rejects.toThrow(/could not connect/);
    expect(polymongo.pools.budget.used).toBe(0);
    expect(await items.countDocuments()).toBe(0);
  });
});
