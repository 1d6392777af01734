import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { startTestServer } from '../../support/test-server.js';
import type { TestServer } from '../../support/test-server.js';

describe('cursors', () => {
  let server: TestServer;
  let client: mongoose.mongo.MongoClient;
  let db: mongoose.mongo.Db;
  const numbers = [1, 2, 3, 4].map((n) => ({ _id: n as never }));

  beforeAll(async () => {
    server = await startTestServer();
    client = await new mongoose.mongo.MongoClient(server.uri).connect();
    db = client.db('embedded_cursors');
  });

  beforeEach(() => db.dropDatabase());

  afterAll(async () => {
    await db.dropDatabase();
    await client.close();
    await server.stop();
  });

  it.each([0, 100])('refuse maxTimeMS %s of a getMore unless they await data', async (maxTimeMS) => {
    await db.collection('n').insertMany(numbers);
    const { cursor } = await db.command({ find: 'n', batchSize: 1 });
    await expect(db.command({ getMore: cursor.id, collection: 'n', maxTimeMS })).rejects.toMatchObject({ code: 2 });
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
    const { cursor } = await db.command({ find: 'capped', tailable: true, awaitData: true, maxTimeMS: 10 });
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
