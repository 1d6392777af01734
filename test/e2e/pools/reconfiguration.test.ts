import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ReconfigurationPendingError, type PolyModel, type PolyMongoWrapper } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { numbered, wrapItems, type Item } from '../../support/items.js';
import { usePools } from '../../support/pools-fixture.js';
import { waitFor } from '../../support/wait-for.js';
import { turns } from '../../support/turns.js';

const fixture = usePools();
let other: EmbeddedMongo;
let polymongo: PolyMongoWrapper;
let items: PolyModel<Item>;
let transitions: string[];

beforeAll(async () => {
  other = await EmbeddedMongo.start();
});
afterAll(() => other.stop());
beforeEach(async () => {
  polymongo = fixture.create({ shutdownTimeoutMS: 1_000 });
  items = wrapItems(polymongo);
  transitions = [];
  polymongo.pools.events.on('poolState', ({ pool, to }) => transitions.push(`${pool}:${to}`));
  await items.db('db').deleteMany();
  await items.db('db').insertMany(numbered(20));
});

const sizeOf = () => polymongo.pools.poolOf('db').config.maxConnections;

/** Reads one document and leaves the cursor open on the server. */
async function openCursor(batchSize = 2) {
  const cursor = items.db('db').find().sort({ n: 1 }).cursor({ batchSize });
  const seen = [(await cursor.next())!.n];
  return { cursor, seen };
}

async function readOn({ cursor, seen }: Awaited<ReturnType<typeof openCursor>>): Promise<number[]> {
  for await (const { n } of cursor) seen.push(n);
  return seen;
}
const ALL = numbered(20).map(({ n }) => n);

describe.each([
  ['of its own', true],
  ['shared with others', false],
])('a new configuration for a database whose pool is %s', (_, isSeparate) => {
  beforeEach(async () => {
    if (isSeparate) await polymongo.scale.connectDB('db', { maxConnections: 3 });
    await items.db('db').countDocuments();
    transitions.length = 0;
  });

  it('is in effect with the next call', async () => {
    polymongo.scale.setDB('db', { maxConnections: 5 });
    expect(await items.db('db').countDocuments()).toBe(20);
    expect(polymongo.stats.general().separateDB).toMatchObject([{ dbName: 'db', poolStats: { maxPoolSize: 5 } }]);
  });

  it('takes over after work that did not end in time has, though calls overlap all the while', async () => {
    const database = polymongo.pools.database('db');
    const slow = await database.enter('operation');
    await expect(polymongo.scale.connectDB('db', { maxConnections: 5 })).rejects.toThrow(ReconfigurationPendingError);
    let isOver = false;
    const overlapping = (async () => {
      let held = await database.enter('operation');
      while (!isOver) {
        const next = database.enter('operation');
        await turns();
        held.release();
        held = await next;
      }
      held.release();
    })();
    slow.release();
    await waitFor(() => sizeOf() === 5);
    isOver = true;
    await overlapping;
  });

  it('lets running work end on the old pool before the new one opens, and new calls wait meanwhile', async () => {
    const running = await openCursor();
    const before = polymongo.pools.poolOf('db');
    polymongo.scale.setDB('db', { maxConnections: 5 });
    const waiting = items.db('db').countDocuments().exec();
    await items.countDocuments(); // time enough for the new pool to begin;
    expect(polymongo.pools.poolOf('db')).toBe(before);
    expect(transitions.filter((t) => t.endsWith('connecting'))).toEqual([]);
    expect(await readOn(running)).toEqual(ALL);
    expect(await waiting).toBe(20);
    expect(sizeOf()).toBe(5);
  });

  it('lets calls made inside running work through on the old pool', async () => {
    const database = polymongo.pools.database('db');
    const before = database.pool;
    await database.run(async () => {
      polymongo.scale.setDB('db', { maxConnections: 5 });
      await items.db('db').create({ n: 20 });
      expect(database.connection.getClient()).toBe(before.client);
    });
    expect(await items.db('db').countDocuments()).toBe(21);
    expect(sizeOf()).toBe(5);
  });

  it('drops no work that does not end: the old one serves on, and the new one takes over when it has ended', async () => {
    const running = await openCursor();
    const refused = polymongo.scale.connectDB('db', { maxConnections: 5 });
    await expect(refused).rejects.toThrow(/db.*still.*1.*takes effect/s);
    expect(await items.db('db').countDocuments()).toBe(20);
    expect(await readOn(running)).toEqual(ALL);
    polymongo.pools.events.on('poolState', () => {});
    await items.db('db').countDocuments();
    expect(sizeOf()).toBe(5);
  });

  it('changes nothing when it is the one there is', async () => {
    await polymongo.scale.connectDB('db', { maxConnections: 5 });
    const before = polymongo.pools.poolOf('db');
    const running = await openCursor();
    transitions.length = 0;
    await polymongo.scale.connectDB('db', { maxConnections: 5 });
    expect(polymongo.pools.poolOf('db')).toBe(before);
    expect(transitions).toEqual([]);
    await readOn(running);
  });

  it('takes the last of several', async () => {
    const running = await openCursor();
    for (const maxConnections of [4, 6, 7]) polymongo.scale.setDB('db', { maxConnections });
    const waiting = items.db('db').countDocuments().exec();
    await readOn(running);
    await waiting;
    expect(sizeOf()).toBe(7);
    expect(transitions.filter((t) => t === 'db:connected')).toHaveLength(1);
  });

  it('runs disconnect hooks for the old pool and connect hooks for the new one', async () => {
    const heard: string[] = [];
    polymongo.onTheseDBConnect('db', () => heard.push(`connect ${sizeOf()}`));
    polymongo.onTheseDBDisconnect('db', async (connection) => {
      heard.push(`disconnect ${await connection.db!.collection('items').countDocuments()}`);
    });
    await polymongo.scale.connectDB('db', { maxConnections: 5 });
    expect(heard).toEqual(['disconnect 20', 'connect 5']);
  });

  it('may lead to another cluster, where indexes are made anew', async () => {
    polymongo.scale.setDB('db', { mongoURI: other.uri });
    await items.db('db').create({ n: 1, key: 'a' });
    await expect(items.db('db').create({ n: 2, key: 'a' })).rejects.toMatchObject({ code: 11000 });
    expect(await items.db('db').countDocuments()).toBe(1);
    await items.db('db').deleteMany();
  });

  it('a bulk builder that was begun before writes where its database is now', async () => {
    await items.db('db').countDocuments();
    const bulk = items.db('db').collection.initializeOrderedBulkOp().insert({ n: 1, key: 'moved' });
    polymongo.scale.setDB('db', { mongoURI: other.uri });
    await bulk.execute();
    expect(await items.db('db').countDocuments()).toBe(1);
    await items.db('db').deleteMany();
  });

  it('tells long streams to move', async () => {
    const told: unknown[] = [];
    polymongo.pools.events.on('streams', (event) => told.push(event));
    polymongo.scale.setDB('db', { maxConnections: 5 });
    expect(told).toEqual([{ dbs: ['db'], action: 'resume' }]);
    await items.db('db').countDocuments();
  });

  it('ends with a shutdown that comes before it is done', async () => {
    const { cursor } = await openCursor();
    polymongo.scale.setDB('db', { maxConnections: 5 });
    await polymongo.actions.closeAll();
    await expect(readOn({ cursor, seen: [] })).rejects.toThrow(/closed by force/);
    expect(polymongo.stats.general()).toMatchObject({ totalActivePools: 0, totalConnectionsAcrossPools: 0 });
  });
});

it('does not disturb the other databases when the default database gets a pool of its own', async () => {
  const heard: string[] = [];
  polymongo.onDbDisconnect((connection) => heard.push(connection.name));
  await items.countDocuments();
  await polymongo.scale.connectDB('default', { autoClose: true, ttl: 1 });
  await new Promise<void>((resolve) => {
    polymongo.pools.events.on('poolState', ({ reason, to }) => {
      if (reason === 'idle' && to === 'closed') resolve();
    });
  });
  expect(heard).toEqual(['default', 'default']);
});

it('is refused for a name that differs from another one only in case', async () => {
  await items.db('acme').countDocuments();
  expect(() => polymongo.scale.setDB('Acme')).toThrow(/differs only in case from "acme"/);
  polymongo.scale.setDB('globex');
  expect(() => polymongo.scale.setDB('GLOBEX')).toThrow(/differs only in case from "globex"/);
  expect(polymongo.stats.general().separateDB.map(({ dbName }) => dbName)).toEqual(['globex']);
});
