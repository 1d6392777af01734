import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { PolyMongoWrapper, type PolyModel } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { numbered, wrapItems, type Item } from '../../support/items.js';
import { mulberry32 } from '../../support/random.js';
import { settle } from '../../support/settling.js';

const INTERLEAVINGS = process.env.POLYMONGO_LONG ? 10_000 : 300;
const FIRST_SEED = Number(process.env.POLYMONGO_SEED ?? 1);
const AT_ONCE = 6;
const DOCUMENTS = 12;
const DBS = ['idle_0', 'idle_1', 'idle_2'];

let server: EmbeddedMongo;
let polymongo: PolyMongoWrapper;
let items: PolyModel<Item>;
const cutPools: string[] = [];
let idleCloses = 0;

beforeAll(async () => {
  server = await EmbeddedMongo.start();
  polymongo = new PolyMongoWrapper(
    {
      mongoURI: server.uri,
      dbSpecific: DBS.map((dbName, i) => ({ dbName, options: { autoClose: true, ttl: i, maxConnections: 8 } })),
    },
    'nest',
  );
  items = wrapItems(polymongo);
  polymongo.pools.events.on('poolState', ({ pool, to, reason }) => {
    if (reason === 'idle' && to === 'closed') idleCloses++;
    if (to === 'closed' && polymongo.pools.poolOf(pool).leaseCount > 0) cutPools.push(pool);
  });
  for (const name of DBS) await items.db(name).insertMany(numbered(DOCUMENTS));
});
afterAll(async () => {
  await polymongo.actions.closeAll();
  await server.stop();
});

const pause = (ms: number) =>
  new Promise<void>((resolve) => (ms < 1 ? setImmediate(resolve) : setTimeout(resolve, ms)));

/** Each reads all documents in some way, with pauses around the idle life of its pool; gives how many it got. */
const WORK: Record<
  string,
  (model: PolyModel<Item> | ReturnType<PolyModel<Item>['db']>, rest: () => Promise<void>) => Promise<number>
> = {
  find: async (model) => (await model.find()).length,
  cursor: async (model, rest) => {
    let count = 0;
    for await (const _ of model.find().cursor({ batchSize: 4 })) if (++count % 4 === 0) await rest();
    return count;
  },
  aggregation: async (model, rest) => {
    let count = 0;
    for await (const _ of model.aggregate([{ $match: {} }]).cursor({ batchSize: 5 }))
      if (++count % 5 === 0) await rest();
    return count;
  },
  transaction: async (model, rest) => {
    const session = await model.db.startSession();
    try {
      session.startTransaction({ readConcern: { level: 'snapshot' } });
      const first = (await model.find({ n: { $lt: 6 } }).session(session)).length;
      await rest();
      const second = (await model.find({ n: { $gte: 6 } }).session(session)).length;
      await session.commitTransaction();
      return first + second;
    } finally {
      await session.endSession();
    }
  },
  stream: async (model, rest) => {
    const stream = model.collection.watch([], { maxAwaitTimeMS: 4 }) as unknown as {
      tryNext(): Promise<unknown>;
      close(): Promise<void>;
      closed: boolean;
    };
    try {
      await stream.tryNext();
      await rest();
      await stream.tryNext();
      return stream.closed ? 0 : DOCUMENTS;
    } finally {
      await stream.close();
    }
  },
  export: async (model, rest) => {
    const documents: unknown[] = [];
    const readable = model.collection.find({}, { batchSize: 3 } as never) as unknown as {
      stream(): AsyncIterable<unknown>;
    };
    for await (const document of readable.stream()) {
      documents.push(document);
      if (documents.length % 3 === 0) await rest();
    }
    return documents.length;
  },
};
const KINDS = Object.keys(WORK);

it(
  `an idle close never truncates work, nor meets a lease (${INTERLEAVINGS} random interleavings)`,
  async () => {
    const wrong: string[] = [];
    const one = async (seed: number) => {
      const random = mulberry32(seed);
      const kind = KINDS[Math.floor(random() * KINDS.length)]!;
      const name = DBS[Math.floor(random() * DBS.length)]!;
      await pause(random() * 3);
      try {
        const count = await WORK[kind]!(items.db(name), () => pause(random() * 3));
        if (count !== DOCUMENTS) wrong.push(`seed ${seed}: ${kind} on ${name} got ${count} of ${DOCUMENTS}`);
      } catch (error) {
        wrong.push(`seed ${seed}: ${kind} on ${name} failed: ${String(error)}`);
      }
    };
    let next = FIRST_SEED;
    const worker = async () => {
      while (next < FIRST_SEED + INTERLEAVINGS) await one(next++);
    };
    await settle(Array.from({ length: AT_ONCE }, worker), 1_000 * 1_000);
    expect(wrong).toEqual([]);
    expect(cutPools).toEqual([]);
    expect(idleCloses).toBeGreaterThan(INTERLEAVINGS / 50);
  },
  1_000 * 1_000,
);
