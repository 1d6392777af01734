import { beforeEach, describe, expect, it } from '@jest/globals';
import { PoolForceClosedError, type PolyModel, type PolyMongoWrapper } from 'nestjs-polymongo';
import { numbered, wrapItems, type Item } from '../../support/items.js';
import { eventually, ONE_MONITOR } from '../../support/server-probe.js';
import { usePools } from '../../support/pools-fixture.js';
import { turns } from '../../support/turns.js';

const TTL_MS = 30;
const DB = 'idle';

const fixture = usePools();
let polymongo: PolyMongoWrapper;
let items: PolyModel<Item>;
let moves: string[];

beforeEach(async () => {
  polymongo = fixture.create({
    driverOptions: ONE_MONITOR,
    shutdownTimeoutMS: 200,
    dbSpecific: [{ dbName: DB, options: { autoClose: true, ttl: TTL_MS, maxConnections: 3 } }],
  });
  items = wrapItems(polymongo);
  moves = [];
  polymongo.pools.events.on('poolState', ({ pool, to, reason }) => {
    if (pool === DB) moves.push(reason === undefined ? to : `${to}: ${reason}`);
  });
  await items.db(DB).deleteMany();
  await items.db(DB).insertMany(numbered(10));
});

const pool = () => polymongo.pools.poolOf(DB);
const closedIdle = () => eventually(() => expect(moves.at(-1)).toBe('closed: idle'));
const longerThanTTL = () => new Promise((resolve) => setTimeout(resolve, 4 * TTL_MS));

describe('a pool with autoClose', () => {
  it('closes after its idle life; its sockets and monitors are gone from the server', async () => {
    expect(await fixture.probe.sockets()).toBeGreaterThan(0);
    await closedIdle();
    await eventually(async () => expect(await fixture.probe.sockets()).toBe(0));
    expect(pool().stats).toMatchObject({ totalConnections: 0, availableConnections: 0, inUseConnections: 0 });
  });

  it('leaks no socket and no listener however often it closes and opens again', async () => {
    for (let i = 0; i < 15; i++) {
      await closedIdle();
      expect(await items.db(DB).countDocuments()).toBe(10);
    }
    await closedIdle();
    await eventually(async () => expect(await fixture.probe.sockets()).toBe(0));
    expect(moves.filter((move) => move === 'connected')).toHaveLength(16);
  });

  it('opens again for a model, a document and a query that somebody kept', async () => {
    const kept = items.db(DB);
    const document = (await kept.findOne({ n: 1 }))!;
    const query = kept.find({ n: { $gt: 7 } });
    await closedIdle();
    document.n = 100;
    await document.save();
    await closedIdle();
    expect(await query).toHaveLength(3);
    expect(items.db(DB)).toBe(kept);
  });

  it('starts its idle life anew with each access', async () => {
    for (let i = 0; i < 8; i++) {
      await new Promise((resolve) => setTimeout(resolve, TTL_MS / 3));
      await items.db(DB).countDocuments();
    }
    expect(moves).toEqual(['connecting', 'connected']);
  });
});

describe('work keeps a pool from closing:', () => {
  it('an operation that takes long', async () => {
    fixture.server.stall(5 * TTL_MS);
    expect(await items.db(DB).countDocuments()).toBe(10);
    expect(moves).toEqual(['connecting', 'connected']);
  });

  it('a cursor that is read slowly', async () => {
    const seen: number[] = [];
    for await (const { n } of items.db(DB).find().sort({ n: 1 }).cursor({ batchSize: 4 })) {
      if (seen.length % 4 === 3) await longerThanTTL();
      seen.push(n);
    }
    expect(seen).toEqual(numbered(10).map(({ n }) => n));
    expect(moves).toEqual(['connecting', 'connected']);
    await closedIdle();
  });

  it('an aggregation cursor, until it is closed early', async () => {
    const cursor = items
      .db(DB)
      .aggregate([{ $sort: { n: 1 } }])
      .cursor({ batchSize: 2 });
    await cursor.next();
    await longerThanTTL();
    expect(pool().leaseCount).toBe(1);
    await cursor.close();
    expect(pool().leaseCount).toBe(0);
    await closedIdle();
  });

  it('a session with a transaction', async () => {
    const session = await items.db(DB).db.startSession();
    session.startTransaction();
    await items.db(DB).create([{ n: 11 }], { session });
    await longerThanTTL();
    await session.commitTransaction();
    expect(moves).toEqual(['connecting', 'connected']);
    await session.endSession();
    await closedIdle();
    expect(await items.db(DB).countDocuments()).toBe(11);
  });

  it('a change stream', async () => {
    const stream = items.db(DB).collection.watch() as unknown as {
      next(): Promise<{ fullDocument: Item }>;
      close(): Promise<void>;
    };
    const change = stream.next();
    await longerThanTTL();
    await items.db(DB).create({ n: 42 });
    expect((await change).fullDocument.n).toBe(42);
    await longerThanTTL();
    expect(moves).toEqual(['connecting', 'connected']);
    await stream.close();
    await closedIdle();
  });
});

describe('leases are given back', () => {
  const atRest = () => eventually(() => expect(pool().leaseCount).toBe(0), 1_000);

  it('when an operation fails', async () => {
    await expect(items.db(DB).find({ $nonsense: 1 } as never)).rejects.toThrow();
    await expect(items.db(DB).aggregate([{ $nonsense: {} }] as never)).rejects.toThrow();
    await atRest();
  });

  it('when a loop over a cursor is left early or throws', async () => {
    for await (const _ of items.db(DB).find().cursor({ batchSize: 2 })) break;
    const failing = (async () => {
      for await (const _ of items.db(DB).find().cursor({ batchSize: 2 })) throw new Error('left');
    })();
    await expect(failing).rejects.toThrow('left');
    for await (const _ of items.db(DB).find().batchSize(2)) break;
    for await (const _ of items
      .db(DB)
      .aggregate([{ $match: {} }])
      .option({ batchSize: 2 } as never))
      break;
    await atRest();
  });

  it('when a cursor fails on the way', async () => {
    const cursor = items.db(DB).find().cursor({ batchSize: 2 });
    await cursor.next();
    await fixture.server.restart();
    await expect(drain(cursor)).rejects.toThrow();
    await atRest();
  });

  it('when a change stream is closed while it is being opened, which leaves no cursor on the server', async () => {
    const cursors = async () => (await fixture.probe.operations()).filter(({ ns }) => ns?.startsWith(`${DB}.`));
    await items.db(DB).countDocuments();
    for (let i = 0; i < 10; i++) {
      const stream = items.db(DB).collection.watch() as unknown as {
        tryNext(): Promise<unknown>;
        close(): Promise<void>;
      };
      const reading = stream.tryNext().catch(() => {});
      await (i < 5 ? undefined : turns(2 * (i - 5)));
      await stream.close();
      await reading;
    }
    await eventually(async () => expect(await cursors()).toEqual([]));
    await atRest();
  });

  it('when a cursor is rewound and read again', async () => {
    const cursor = items.db(DB).collection.find();
    expect(await cursor.toArray()).toHaveLength(10);
    cursor.rewind();
    expect(await cursor.toArray()).toHaveLength(10);
    await atRest();
  });
});

it('a cursor of a pool that is closed by force throws instead of ending silently', async () => {
  const read = async (cursor: AsyncIterable<Item>) => {
    const seen: number[] = [];
    for await (const { n } of cursor) {
      if (seen.length === 0) await polymongo.actions.forceCloseAll();
      seen.push(n);
    }
    return seen;
  };
  await expect(read(items.db(DB).find().cursor({ batchSize: 2 }))).rejects.toThrow(PoolForceClosedError);
});

async function drain(cursor: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of cursor) count++;
  return count;
}
