import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose, { type mongo } from 'mongoose';
import { EmbeddedMongo } from 'embedded-mongo';

const { MongoClient } = mongoose.mongo;

let server: EmbeddedMongo;
let client: mongo.MongoClient;
let other: mongo.MongoClient;
let db: mongo.Db;

const DOCUMENTS = 20_000;
/** Takes some milliseconds a document: all of them take minutes. */
const slow = {
  $reduce: { input: { $range: [0, 10_000] }, initialValue: 0, in: { $add: ['$$value', '$$this', '$a'] } },
};
const never = { $expr: { $eq: [slow, -1] } };
const unwound = [{ $match: { _id: 0 } }, { $set: { n: { $range: [0, 1_000_000] } } }, { $unwind: '$n' }];

beforeAll(async () => {
  server = await EmbeddedMongo.start();
  client = await new MongoClient(server.uri).connect();
  other = await new MongoClient(server.uri).connect();
  db = client.db('turns');
  const items = db.collection<{ _id: number; a: number; b: number }>('items');
  await items.insertMany(Array.from({ length: DOCUMENTS }, (_, i) => ({ _id: i, a: i, b: i % 10 })));
  await items.createIndexes([{ key: { a: 1 } }, { key: { b: 1, a: 1 } }]);
  await db.createCollection('view', { viewOn: 'items', pipeline: [{ $match: never }] });
});

afterAll(async () => {
  await client.close();
  await other.close();
  await server.stop();
});

/** What runs, as another client is told meanwhile. */
async function running(comment: string): Promise<{ opid: number } | undefined> {
  const { inprog } = await other.db('admin').command({ currentOp: 1, 'command.comment': comment });
  return (inprog as { opid: number }[])[0];
}

const find = (filter: object, more: object = {}): object => ({ find: 'items', filter, ...more });
const aggregate = (...pipeline: object[]): object => ({ aggregate: 'items', pipeline, cursor: {} });
const COMMANDS: [string, object][] = [
  ['a scan of a collection', find(never)],
  ['one in reverse', find(never, { sort: { $natural: -1 } })],
  ['a scan of an index', find({ a: { $gte: 0 }, ...never })],
  ['documents that are fetched', find({ b: { $in: [1, 2, 3] }, ...never }, { sort: { a: 1 } })],
  ['clauses of an index each', find({ $or: [{ a: { $gte: 0 } }, { b: 1 }], ...never })],
  ['a sort', find(never, { sort: { c: 1 } })],
  ['documents that are passed over', find(never, { skip: 5, limit: 5, sort: { b: 1, a: 1 } })],
  ['a projection', find({}, { projection: { c: slow }, batchSize: DOCUMENTS })],
  ['a find on a view', { find: 'view', filter: {} }],
  ['a count', { count: 'items', query: never }],
  ['a count of an index', { count: 'items', query: { a: { $gte: 0 }, ...never } }],
  ['a count of a view', { count: 'view' }],
  ['distinct', { distinct: 'items', key: 'b', query: never }],
  ['distinct of a view', { distinct: 'view', key: 'b' }],
  ['an update', { update: 'items', updates: [{ q: never, u: { $set: { c: 1 } } }] }],
  ['an update of many', { update: 'items', updates: [{ q: never, u: { $set: { c: 1 } }, multi: true }] }],
  ['a delete', { delete: 'items', deletes: [{ q: never, limit: 0 }] }],
  ['findAndModify', { findAndModify: 'items', query: never, remove: true }],
  ['$match', aggregate({ $match: never })],
  ['$match after another stage', aggregate({ $set: { c: 1 } }, { $match: never })],
  ['$project and $count', aggregate({ $project: { c: slow } }, { $match: { c: -1 } }, { $count: 'n' })],
  ['$group', aggregate({ $group: { _id: slow } })],
  ['$sort', aggregate({ $set: { c: slow } }, { $sort: { c: 1 } })],
  ['$bucketAuto', aggregate({ $set: { c: slow } }, { $bucketAuto: { groupBy: '$c', buckets: 2 } })],
  ['$facet', aggregate({ $set: { c: slow } }, { $facet: { n: [{ $count: 'n' }] } })],
  ['$setWindowFields', aggregate({ $set: { c: slow } }, { $setWindowFields: { output: { n: { $sum: '$c' } } } })],
  ['$unwind', aggregate(...unwound, { $match: never })],
  ['$lookup', aggregate({ $lookup: { from: 'items', as: 'c', let: { a: '$a' }, pipeline: [{ $match: { _id: 1 } }, { $set: { a: '$$a' } }, { $match: never }] } }, { $match: { c: 1 } })], // prettier-ignore
  ['$unionWith', aggregate({ $match: { _id: 0 } }, { $unionWith: { coll: 'items', pipeline: [{ $match: never }] } }, { $skip: 2 })], // prettier-ignore
  ['$redact', aggregate({ $redact: { $cond: [{ $eq: [slow, -1] }, '$$KEEP', '$$PRUNE'] } })],
];

describe('while one command computes for minutes', () => {
  it.each(COMMANDS)('others are answered, and killOp ends it: %s', async (title, command) => {
    let isOver = false;
    const ended = db.command({ ...command, comment: title }).catch((error: unknown) => error);
    void ended.then(() => (isOver = true));
    let found: { opid: number } | undefined;
    while (!found && !isOver) found = await running(title);
    expect(found).toBeDefined();
    expect(await other.db('admin').command({ ping: 1 })).toMatchObject({ ok: 1 });
    await other.db('turns').collection('others').insertOne({ title });
    expect(isOver).toBe(false);
    await other.db('admin').command({ killOp: 1, op: found!.opid });
    expect(await ended).toMatchObject({ code: 11601, codeName: 'Interrupted' });
  });

  it('the same goes for a batch that a cursor is asked for later, and for one in a transaction', async () => {
    for (const options of [{}, { inTransaction: true }]) {
      const session = client.startSession();
      if ('inTransaction' in options) session.startTransaction();
      const filter = { $or: [{ _id: 0 }, never] };
      const { cursor } = await db.command({ find: 'items', filter, batchSize: 1 }, { session, promoteLongs: false });
      const comment = `getMore ${Object.keys(options).join()}`;
      const ended = db.command({ getMore: cursor.id, collection: 'items', comment }, { session }).catch((error: unknown) => error); // prettier-ignore
      let found: { opid: number } | undefined;
      while (!found) found = await running(comment);
      expect(await other.db('admin').command({ ping: 1 })).toMatchObject({ ok: 1 });
      await other.db('admin').command({ killOp: 1, op: found.opid });
      expect(await ended).toMatchObject({ code: 11601 });
      await session.endSession();
    }
  });

  it('the time is over when it is over, and so is a scan whose collection somebody drops', async () => {
    await expect(db.command({ ...find(never), maxTimeMS: 100 })).rejects.toMatchObject({ code: 50 });
    await db.collection('items').aggregate([{ $out: 'doomed' }]).toArray(); // prettier-ignore
    const comment = 'doomed';
    const ended = db.command({ find: 'doomed', filter: never, comment }).catch((error: unknown) => error);
    while (!(await running(comment)));
    await other.db('turns').dropCollection('doomed');
    expect(await ended).toMatchObject({ code: 175 });
  });

  it('what a write finds is as it is when it is changed, whoever was quicker', async () => {
    const raced = db.collection<{ _id: number; n: number; a: number }>('raced');
    await raced.insertMany(Array.from({ length: 300 }, (_, _id) => ({ _id, n: 0, a: 1 })));
    const filters = { n: 0, $expr: { $gte: [slow, 0] } };
    const changed = db.command({ update: 'raced', updates: [{ q: filters, u: { $inc: { n: 1 } }, multi: true }], comment: 'race' }); // prettier-ignore
    while (!(await running('race')));
    await other
      .db('turns')
      .collection<{ _id: number }>('raced')
      .updateOne({ _id: 0 }, { $set: { n: 7 } });
    expect(await changed).toMatchObject({ n: 299, nModified: 299 });
    expect(await raced.countDocuments({ n: 1 })).toBe(299);
    expect(await raced.findOne({ _id: 0 })).toEqual({ _id: 0, n: 7, a: 1 });
  }, 60_000);

  it('what a write looks for is looked for once, though somebody changes some of it, or nothing is found to be changed', async () => {
    const sought = db.collection<{ _id: number; n: number; a: number }>('sought');
    await sought.insertMany(Array.from({ length: 300 }, (_, _id) => ({ _id, n: 0, a: 1 })));
    await sought.createIndex({ a: 1 });
    const searches = async () => {
      const indexes = await sought.aggregate([{ $indexStats: {} }]).toArray();
      return Number(indexes.find(({ name }) => name === 'a_1')!['accesses'].ops);
    };
    const update = (q: object, more: object, comment: string) =>
      db.command({ update: 'sought', updates: [{ q: { a: { $gte: 0 }, ...q }, u: { $inc: { n: 1 } }, ...more }], comment }); // prettier-ignore

    const $or = Array.from({ length: 20_000 }, (_, i) => ({ c: i + 1 })); // an upsert may have no $expr
    expect(await update({ $or }, { upsert: true }, 'upsert')).toMatchObject({ n: 1, upserted: [{ index: 0 }] });
    expect(await searches()).toBe(1);

    const changed = update({ n: 0, $expr: { $gte: [slow, 0] } }, { multi: true }, 'met');
    while (!(await running('met')));
    for (let n = 0; n < 3; n++)
      await other
        .db('turns')
        .collection('sought')
        .updateOne({ _id: n as never }, { $inc: { n } });
    expect(await changed).toMatchObject({ n: 298, nModified: 298 });
    expect(await searches()).toBe(2);
  }, 60_000);

  it('what counts to thousands tells the same with pauses', async () => {
    const some = { $expr: { $lt: [{ $mod: ['$a', 10] }, 3] } };
    expect(await db.command({ count: 'items', query: some, skip: 10, limit: 5000 })).toMatchObject({ n: 5000 });
    expect(await db.command({ count: 'items', query: some })).toMatchObject({ n: 6000 });
    expect(await db.command({ distinct: 'items', key: 'b', query: some })).toMatchObject({ values: [0, 1, 2] });
  });

  it('what it gives in the end is what it gives at once', async () => {
    const few = { $expr: { $eq: [{ $mod: [{ $reduce: { input: { $range: [0, 50] }, initialValue: '$a', in: { $add: ['$$value', 0] } } }, 10] }, 3] } }; // prettier-ignore
    const items = db.collection<{ _id: number }>('items');
    const ids = Array.from({ length: DOCUMENTS / 10 }, (_, i) => i * 10 + 3);
    expect((await items.find(few).toArray()).map(({ _id }) => _id)).toEqual(ids);
    expect((await items.find({ a: { $gte: 0 }, ...few }).sort({ a: -1 }).toArray()).map(({ _id }) => _id)).toEqual(ids.toReversed()); // prettier-ignore
    const [counted] = await items.aggregate([{ $match: few }, { $group: { _id: '$b', n: { $sum: 1 } } }]).toArray();
    expect(counted).toEqual({ _id: 3, n: DOCUMENTS / 10 });
  });
});
