import { beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { PoolForceClosedError, PolyMongoClosedError, type PolyModel, type PolyMongoWrapper } from 'nestjs-polymongo';
import { numbered, wrapItems, type Item } from '../../support/items.js';
import { eventually } from '../../support/server-probe.js';
import { settle } from '../../support/settling.js';
import { usePools } from '../../support/pools-fixture.js';
import { turns } from '../../support/turns.js';

const fixture = usePools();
let polymongo: PolyMongoWrapper;
let items: PolyModel<Item>;

beforeEach(async () => {
  polymongo = fixture.create({ shutdownTimeoutMS: 1_500, dbSpecific: [{ dbName: 'own' }] });
  items = wrapItems(polymongo);
  await Promise.all([items.db('own').deleteMany(), items.deleteMany()]);
});

const { closeAll, forceCloseAll } = {
  closeAll: () => polymongo.actions.closeAll(),
  forceCloseAll: () => polymongo.actions.forceCloseAll(),
};

it('closeAll() completes streams, refuses new calls, lets running work end, runs hooks, then closes — in this order', async () => {
  const order: string[] = [];
  polymongo.pools.events.on('streams', async ({ action }) => {
    await turns(3);
    order.push(`streams ${action}`);
  });
  polymongo.onDbDisconnect(({ name }) => order.push(`hook ${name}`));
  polymongo.pools.events.on('poolState', ({ pool, to }) => order.push(`${pool} ${to}`));
  const running = polymongo.pools.database('own').run(async () => {
    await eventually(() => expect(polymongo.pools.poolOf('own').state).toBe('draining'));
    await items.db('own').create({ n: 1 });
    order.push('work ended');
  });
  const closing = closeAll();
  expect(polymongo.isShuttingDown).toBe(true);
  const refused = items.findOne().exec();
  await expect(refused).rejects.toThrow(PolyMongoClosedError);
  await settle([running, closing]);
  const at = (what: string) => order.indexOf(what);
  expect(at('streams complete')).toBe(0);
  expect(at('streams complete')).toBeLessThan(at('own draining'));
  expect(at('own draining')).toBeLessThan(at('work ended'));
  expect(at('work ended')).toBeLessThan(at('hook own'));
  expect(at('hook own')).toBeLessThan(at('own closed'));
});

it('leaves no connection in mongoose.connections and no socket on the server', async () => {
  const before = mongoose.connections.length;
  await Promise.all(['a', 'b', 'own'].map((name) => items.db(name).findOne()));
  await closeAll();
  expect(mongoose.connections).toHaveLength(before);
  expect(items.base.connections).toHaveLength(1);
  await eventually(async () => expect(await fixture.probe.sockets()).toBe(0));
});

it('is final: later calls get an error that says so', async () => {
  const kept = items.db('own');
  await closeAll();
  await expect(kept.findOne()).rejects.toThrow(/shutting down.*closeAll\(\) is final/);
  expect(() => polymongo.scale.setDB('x')).toThrow(PolyMongoClosedError);
  await expect(polymongo.scale.connectDB('x')).rejects.toThrow(PolyMongoClosedError);
  expect(polymongo.isConnected()).toBe(false);
  expect(polymongo.getConnectionState()).toBe('disconnected');
});

it('may be called many times at once, gracefully and by force, also before anything was opened', async () => {
  const fresh = fixture.create();
  await settle([fresh.actions.closeAll(), fresh.actions.forceCloseAll(), fresh.actions.closeAll()]);
  await items.findOne();
  await settle([closeAll(), closeAll(), forceCloseAll(), closeAll(), forceCloseAll()]);
  await closeAll();
  expect(polymongo.stats.general().totalConnectionsAcrossPools).toBe(0);
});

it('cuts work that outlives the deadline, loudly', async () => {
  polymongo = fixture.create({ shutdownTimeoutMS: 50 });
  items = wrapItems(polymongo);
  await items.insertMany(numbered(10));
  const cursor = items.find().cursor({ batchSize: 2 });
  await cursor.next();
  await closeAll();
  await expect(cursor.next()).rejects.toThrow(PoolForceClosedError);
});

describe('forceCloseAll()', () => {
  it('cuts running operations, which fail', async () => {
    await items.findOne();
    fixture.server.stall(1_000);
    const running = settle([items.findOne().exec(), items.db('own').findOne().exec()]);
    await eventually(() => expect(polymongo.stats.general().primary.poolStats.inUseConnections).toBe(1));
    const startedAt = Date.now();
    await forceCloseAll();
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    for (const result of await running) expect(result.status).toBe('rejected');
  });

  it('overtakes a graceful close that waits for work', async () => {
    const lease = await polymongo.pools.database('own').enter('long');
    const closing = closeAll();
    await eventually(() => expect(polymongo.pools.poolOf('own').state).toBe('draining'));
    const startedAt = Date.now();
    await settle([forceCloseAll(), closing]);
    expect(Date.now() - startedAt).toBeLessThan(1_000);
    lease.release();
  });

  it('overtakes one that waits for streams', async () => {
    polymongo.pools.events.on('streams', () => new Promise(() => {}));
    const closing = closeAll();
    const startedAt = Date.now();
    await settle([forceCloseAll(), closing]);
    expect(Date.now() - startedAt).toBeLessThan(1_000);
  });
});

it('a call that waits for an idle pool to close gets the error too', async () => {
  let endHook = () => {};
  polymongo.scale.setDB('idle', { autoClose: true, ttl: 1 });
  polymongo.onTheseDBDisconnect('idle', () => new Promise<void>((resolve) => (endHook = resolve)));
  await items.db('idle').findOne();
  await eventually(() => expect(polymongo.pools.poolOf('idle').state).toBe('draining'));
  const waiting = items.db('idle').findOne().exec();
  const refused = expect(waiting).rejects.toThrow(PolyMongoClosedError);
  const closing = closeAll();
  endHook();
  await settle([refused, closing]);
  expect(polymongo.pools.poolOf('idle').state).toBe('closed');
});
