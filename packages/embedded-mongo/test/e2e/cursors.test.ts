import { beforeEach, describe, expect, it } from '@jest/globals';
import type mongoose from 'mongoose';
import { useTestServer } from '../support/connected.js';

describe('cursors', () => {
  let client: mongoose.mongo.MongoClient;
  let db: mongoose.mongo.Db;
  const numbers = [1, 2, 3, 4].map((n) => ({ _id: n as never }));

  useTestServer('embedded_cursors', (connected) => {
    client = connected;
    db = client.db('embedded_cursors');
  });

  beforeEach(() => db.dropDatabase());

  const operationsOf = (command: string) =>
    client
      .db('admin')
      .aggregate([{ $currentOp: {} }, { $match: { op: command.toLowerCase(), ns: /^embedded_cursors/ } }])
      .toArray();

  it.each([0, 100])('refuse maxTimeMS %s of a getMore unless they await data', async (maxTimeMS) => {
    await db.collection('n').insertMany(numbers);
    const { cursor } = await db.command({ find: 'n', batchSize: 1 }, { promoteLongs: false });
    await expect(db.command({ getMore: cursor.id, collection: 'n', maxTimeMS })).rejects.toMatchObject({ code: 2 });
  });

  it.each(['change stream', 'tailable cursor'])(
    'of a %s that waits for data end at once when they are killed',
    async (kind) => {
      await db.createCollection('log', { capped: true, size: 4_096 });
      await db.collection('log').insertOne({});
      const open =
        kind === 'change stream'
          ? { aggregate: 'log', pipeline: [{ $changeStream: {} }], cursor: { batchSize: 0 } }
          : { find: 'log', tailable: true, awaitData: true, batchSize: 1 };
      const { cursor } = await db.command(open, { promoteLongs: false });
      const waiting = db.command({ getMore: cursor.id, collection: 'log', maxTimeMS: 3_600_000 });
      const end = expect(waiting).rejects.toMatchObject({ code: 237, codeName: 'CursorKilled' });
      while ((await operationsOf('getMore')).length === 0);
      await db.command({ killCursors: 'log', cursors: [cursor.id] });
      await end;
      expect(await operationsOf('getMore')).toEqual([]);
      await expect(db.command({ getMore: cursor.id, collection: 'log' })).rejects.toMatchObject({ code: 43 });
    },
  );

  it("of a driver's change stream that waits is closed before the time that it waits is over", async () => {
    const stream = db.collection('n').watch([], { maxAwaitTimeMS: 3_600_000 });
    const next = stream.next().catch((error: unknown) => error);
    while ((await operationsOf('getMore')).length === 0);
    await stream.close();
    await next;
    expect(await operationsOf('getMore')).toEqual([]);
  });

  it('end when the index that they read is dropped', async () => {
    const n = db.collection('n');
    await n.insertMany(numbers.map(({ _id }) => ({ _id, a: 1 })));
    await n.createIndex({ a: 1 });
    const cursor = n.find({ a: 1 }, { batchSize: 2 });
    await cursor.next();
    await n.dropIndex('a_1');
    await expect(cursor.toArray()).rejects.toMatchObject({
      code: 175,
      message: expect.stringContaining("index 'a_1' dropped"),
    });
  });

  it.each(['count', 'distinct', 'find'])(
    '%s refuses a wrong filter even where there is no collection',
    async (command) => {
      const filter = { a: { $bogus: 1 } };
      const args = command === 'find' ? { filter } : { query: filter, key: 'a' };
      if (command === 'count') delete (args as { key?: string }).key;
      await expect(db.command({ [command]: 'nothing', ...args })).rejects.toMatchObject({ code: 2 });
    },
  );

  it.each(['find', 'count', 'aggregate'])('%s refuses a hint that is neither name nor key', async (command) => {
    const args = { find: {}, count: {}, aggregate: { pipeline: [], cursor: {} } }[command];
    await expect(db.command({ [command]: 'n', ...args, hint: 1 })).rejects.toMatchObject({ code: 9 });
  });

  it('give the key of the _id index by returnKey', async () => {
    await db.collection('n').insertMany(numbers);
    expect(
      await db
        .collection('n')
        .find({ _id: 2 as never }, { returnKey: true })
        .toArray(),
    ).toEqual([{ _id: 2 }]);
  });

  it('skip and limit what a tailable one follows', async () => {
    const capped = await db.createCollection('capped', { capped: true, size: 4096 });
    await capped.insertMany(numbers);
    const tail = capped.find({}, { tailable: true, skip: 1, limit: 2 });
    expect(await tail.toArray()).toEqual([{ _id: 2 }, { _id: 3 }]);
  });

  it('await data as long as a getMore says, whatever time their find had', async () => {
    const capped = await db.createCollection('capped', { capped: true, size: 4096 });
    await capped.insertMany(numbers);
    const { cursor } = await db.command(
      { find: 'capped', tailable: true, awaitData: true, maxTimeMS: 10 },
      { promoteLongs: false },
    );
    const getMore = { getMore: cursor.id, collection: 'capped', maxTimeMS: 50 };
    await expect(db.command(getMore)).resolves.toMatchObject({ cursor: { nextBatch: [] } });
    await db.command({ killCursors: 'capped', cursors: [cursor.id] });
  });

  it('are told of by $currentOp while nobody reads them', async () => {
    await db.collection('idle').insertMany(numbers);
    const cursor = db.collection('idle').find({}, { batchSize: 1 });
    await cursor.next();
    const idle = () =>
      client
        .db('admin')
        .aggregate([{ $currentOp: { idleCursors: true } }, { $match: { ns: 'embedded_cursors.idle' } }])
        .toArray();
    expect(await idle()).toMatchObject([{ type: 'idleCursor', cursor: { tailable: false } }]);
    await cursor.close();
    expect(await idle()).toEqual([]);
  });

  it('answer a million elements of one array', async () => {
    const doubled = { $reduce: { input: '$n', initialValue: [0], in: { $concatArrays: ['$$value', '$$value'] } } };
    const stages = [
      { $documents: [{ n: Array.from({ length: 18 }, (_, i) => i) }] },
      { $project: { size: { $size: doubled } } },
    ];
    expect(await db.aggregate(stages).toArray()).toEqual([{ size: 2 ** 18 }]);
  });
});
