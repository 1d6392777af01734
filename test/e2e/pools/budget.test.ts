import { describe, expect, it } from '@jest/globals';
import { ConnectionBudgetError, type PolyMongoOptions, type PolyMongoWrapper } from 'nestjs-polymongo';
import { numbered, wrapItems } from '../../support/items.js';
import { deferred } from '../../support/deferred.js';
import { eventually, ONE_MONITOR } from '../../support/server-probe.js';
import { settle } from '../../support/settling.js';
import { usePools } from '../../support/pools-fixture.js';

const fixture = usePools();
let polymongo: PolyMongoWrapper;

function create(options: Partial<PolyMongoOptions>) {
  polymongo = fixture.create({ driverOptions: ONE_MONITOR, ...options });
  return wrapItems(polymongo, { autoIndex: false });
}

/** The primary pool was to make room, and serves on because its work did not end in time. */
const primaryIsBack = () =>
  new Promise<void>((resolve) => {
    polymongo.pools.events.on('poolState', ({ pool, from, to }) => {
      if (pool === polymongo.pools.primary.name && from === 'draining' && to === 'connected') resolve();
    });
  });

/** Calls so that there is no moment without one, as long as the pool lets them in. */
function overlap(call: () => Promise<unknown>): { stop: () => Promise<unknown> } {
  let isOver = false;
  const work = Array.from({ length: 4 }, async () => {
    while (!isOver) await call();
  });
  return {
    stop() {
      isOver = true;
      return Promise.all(work);
    },
  };
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
    const isBack = primaryIsBack();
    const waiting = items.db('other').countDocuments().exec();
    await isBack;
    expect(primary.leaseCount).toBe(1);
    end();
    await slow;
    expect(await waiting).toBe(0);
  });

  it('goes on to whoever waits when such an operation has ended, though short calls overlap all the while', async () => {
    const items = create({ maxTotalConnections: 2, maxPoolSize: 2, waitQueueTimeoutMS: 5_000, shutdownTimeoutMS: 50 });
    polymongo.scale.setDB('other');
    const busy = overlap(() => items.countDocuments().exec());
    const primary = polymongo.pools.database('default');
    let end = () => {};
    const slow = primary.run(() => new Promise<void>((resolve) => (end = resolve)));
    const isBack = primaryIsBack();
    const waiting = items.db('other').countDocuments().exec();
    await isBack;
    end();
    await slow;
    expect(await waiting).toBe(0);
    await busy.stop();
  });

  it('goes to whoever began to wait while the pool that has it connected, though short calls overlap there', async () => {
    const items = create({ maxTotalConnections: 2, maxPoolSize: 2, waitQueueTimeoutMS: 5_000 });
    polymongo.scale.setDB('other');
    const busy = overlap(() => items.countDocuments().exec());
    await eventually(() => expect(polymongo.pools.primary.state).toBe('connecting'));
    expect(await items.db('other').countDocuments()).toBe(0);
    await busy.stop();
  });

  it('closes no more pools than it takes: those that are closing anyway count', async () => {
    const items = create({ maxTotalConnections: 6, maxPoolSize: 2 });
    for (const name of ['a', 'b', 'c', 'd']) polymongo.scale.setDB(name);
    for (const name of ['a', 'b', 'c']) await items.db(name).countDocuments();
    const states = () => ['a', 'b', 'c', 'd'].map((name) => polymongo.pools.poolOf(name).state);
    const [left, leaving] = [deferred(), deferred()];
    polymongo.onTheseDBDisconnect('a', () => {
      leaving.resolve();
      return left.promise;
    });
    const waiting = items.db('d').countDocuments().exec();
    await leaving.promise;
    for (const name of ['b', 'c']) await items.db(name).countDocuments();
    expect(states()).toEqual(['draining', 'connected', 'connected', 'connecting']);
    left.resolve();
    expect(await waiting).toBe(0);
    expect(states()).toEqual(['closed', 'connected', 'connected', 'connected']);
  });

  it('closes at once as many as it takes', async () => {
    const items = create({ maxTotalConnections: 6, maxPoolSize: 2 });
    for (const name of ['a', 'b', 'c']) polymongo.scale.setDB(name);
    polymongo.scale.setDB('large', { maxConnections: 4 });
    for (const name of ['a', 'b', 'c']) await items.db(name).countDocuments();
    const leaving: string[] = [];
    const [left, bothLeave] = [deferred(), deferred()];
    polymongo.onDbDisconnect(({ name }) => {
      if (leaving.push(name) === 2) bothLeave.resolve();
      return left.promise;
    });
    const waiting = items.db('large').countDocuments().exec();
    await bothLeave.promise;
    left.resolve();
    expect(await waiting).toBe(0);
    expect(leaving).toEqual(['a', 'b']);
  });

  it('takes turns when every pool is busy all the time', async () => {
    const items = create({ maxTotalConnections: 2, maxPoolSize: 2, waitQueueTimeoutMS: 30_000 });
    const names = ['a', 'b', 'c'];
    for (const name of names) polymongo.scale.setDB(name);
    const turns = new Map(names.map((name) => [name, 0]));
    polymongo.pools.events.on('poolState', ({ pool, to }) => {
      if (to === 'connected') turns.set(pool, turns.get(pool)! + 1);
    });
    const hadTwoEach = () => [...turns.values()].every((count) => count >= 2);
    const work = names.flatMap((name) =>
      Array.from({ length: 3 }, async () => {
        while (!hadTwoEach()) await items.db(name).countDocuments();
      }),
    );
    expect((await settle(work, 30_000)).filter(({ status }) => status === 'rejected')).toEqual([]);
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
