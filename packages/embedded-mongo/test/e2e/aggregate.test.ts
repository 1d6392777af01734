import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import { startTestServer, type TestServer } from '../support/test-server.js';

const { Decimal128, Double, Int32, Long, MongoClient } = mongoose.mongo;
type Document = mongoose.mongo.Document;

describe('aggregate', () => {
  let server: TestServer;
  let client: mongoose.mongo.MongoClient;
  let orders: mongoose.mongo.Collection;

  beforeAll(async () => {
    server = await startTestServer();
    client = await new MongoClient(server.uri, { promoteValues: false }).connect();
    const db = client.db('aggregate_e2e');
    await db.dropDatabase();
    orders = db.collection('orders');
    await orders.insertMany([
      { _id: 1 as never, item: 'a', n: new Int32(2), price: new Double(2), at: new Date('2024-01-31T10:00:00Z') },
      { _id: 2 as never, item: 'b', n: new Int32(3), price: new Double(0.5), at: new Date('2024-02-01T10:00:00Z') },
      { _id: 3 as never, item: 'a', n: Long.fromNumber(1), price: Decimal128.fromString('1.10'), tags: ['x', 'y'] },
    ]);
    await db.collection('items').insertMany([
      { _id: 'a' as never, name: 'apple' },
      { _id: 'b' as never, name: 'beer' },
    ]);
  });

  afterAll(async () => {
    await client.db('aggregate_e2e').dropDatabase();
    await client.close();
    await server.stop();
  });

  const run = (...stages: Document[]): Promise<Document[]> => orders.aggregate(stages).toArray();

  test('keeps number types on the way through the server', async () => {
    const [group] = await run(
      { $match: { item: 'a' } },
      { $group: { _id: null, n: { $sum: '$n' }, price: { $sum: '$price' } } },
    );
    expect(group).toEqual({ _id: null, n: Long.fromNumber(3), price: Decimal128.fromString('3.10') });
    const [mean] = await run({ $match: { _id: { $lte: 2 } } }, { $group: { _id: null, n: { $avg: '$n' } } });
    expect(mean?.['n']).toEqual(new Double(2.5));
  });

  test('joins, unwinds and sorts', async () => {
    const docs = await run(
      { $lookup: { from: 'items', localField: 'item', foreignField: '_id', as: 'found' } },
      { $unwind: '$found' },
      { $sort: { 'found.name': -1, _id: 1 } },
      { $project: { _id: 0, name: '$found.name' } },
    );
    expect(docs.map(({ name }) => name)).toEqual(['beer', 'apple', 'apple']);
  });

  test('writes with $merge and $out', async () => {
    const db = client.db('aggregate_e2e');
    await run({ $project: { item: 1 } }, { $out: 'copy' });
    await run(
      { $match: { _id: 1 } },
      { $project: { item: 'z', more: { $literal: true } } },
      { $merge: { into: 'copy', whenMatched: 'merge' } },
    );
    expect(await db.collection('copy').find({ item: 'z' }).project({ _id: 0 }).toArray()).toEqual([
      { item: 'z', more: true },
    ]);
    expect(await db.collection('copy').find().toArray()).toHaveLength(3);
  });

  test('$merge makes fields in the order of the $set that it is', async () => {
    const namesOf = async (whenMatched: string) => {
      const into = `by_${whenMatched}`;
      await run(
        { $match: { _id: 1 } },
        { $project: { z: '$_id', a: '$_id', m: '$_id' } },
        { $merge: { into, whenMatched } },
      );
      return Object.keys((await client.db('aggregate_e2e').collection(into).findOne({}))!);
    };
    expect(await namesOf('merge')).toEqual(['_id', 'a', 'm', 'z']);
    expect(await namesOf('replace')).toEqual(['_id', 'z', 'a', 'm']);
  });

  test('$merge writes all it can, then answers what it could not', async () => {
    const target = client.db('aggregate_e2e').collection('partly');
    await target.insertOne({ _id: 1 as never });
    const merge = { $merge: { into: 'partly', whenMatched: 'fail' } };
    await expect(orders.aggregate([merge], { promoteValues: true }).toArray()).rejects.toMatchObject({ code: 11000 });
    expect(await target.distinct('_id', {}, { promoteValues: true })).toEqual([1, 2, 3]);
  });

  test('$merge by a pipeline keeps the _id of what it replaces', async () => {
    const target = client.db('aggregate_e2e').collection('replaced');
    await target.insertOne({ _id: 1 as never, inner: { x: true } });
    const whenMatched = [{ $replaceWith: '$inner' }];
    await run({ $match: { _id: 1 } }, { $merge: { into: 'replaced', whenMatched } });
    expect(await target.find({}, { promoteValues: true }).toArray()).toEqual([{ _id: 1, x: true }]);
  });

  test('$merge finds its index by the collation of the pipeline, and knows $$new beside other variables', async () => {
    const target = client.db('aggregate_e2e').collection('collated');
    const collation = { locale: 'en', strength: 2 };
    await target.createIndex({ item: 1 }, { unique: true, sparse: true, collation });
    await target.insertOne({ _id: 1 as never, item: 'A' });
    const whenMatched = [{ $set: { at: '$$new.at', by: '$$by' } }];
    const merge = { $merge: { into: 'collated', on: 'item', let: { by: 'x' }, whenMatched } };
    const [first] = [{ $match: { _id: 1 } }];
    await expect(orders.aggregate([first!, merge], { promoteValues: true }).toArray()).rejects.toMatchObject({
      code: 51183,
    });
    await orders.aggregate([first!, merge], { collation }).toArray();
    expect(await target.find({}, { promoteValues: true }).toArray()).toEqual([
      { _id: 1, item: 'A', at: new Date('2024-01-31T10:00:00Z'), by: 'x' },
    ]);
  });

  test('refuses a document that is larger than clients can read', async () => {
    const big = { $range: [0, 5_000_000] };
    const work = orders.aggregate([{ $limit: 1 }, { $project: { big } }], { promoteValues: true }).toArray();
    await expect(work).rejects.toMatchObject({ code: 10334 });
  });

  test('refuses a view of a pipeline that is wrong or writes', async () => {
    const db = client.db('aggregate_e2e');
    const view = (pipeline: Document[]) => db.createCollection('wrong', { viewOn: 'orders', pipeline });
    await expect(view([{ $bogus: 1 }])).rejects.toThrow(/Unrecognized pipeline stage/);
    await expect(view([{ $out: 'x' }])).rejects.toThrow(/view definition/);
    await expect(view([{ $lookup: { from: 'x', as: 'x', pipeline: [{ $out: 'x' }] } }])).rejects.toThrow(
      /sub-pipeline/,
    );
    await db.createCollection('right', { viewOn: 'orders', pipeline: [] });
    await expect(db.command({ collMod: 'right', viewOn: 'orders', pipeline: [{ $bogus: 1 }] })).rejects.toThrow();
  });

  test('$sample in a $lookup is drawn for each document', async () => {
    const numbers = client.db('aggregate_e2e').collection('numbers');
    await numbers.insertMany(Array.from({ length: 50 }, (_, _id) => ({ _id: _id as never })));
    const drawn = await numbers
      .aggregate([
        { $lookup: { from: 'numbers', pipeline: [{ $sample: { size: 1 } }], as: 'drawn' } },
        { $group: { _id: '$drawn._id' } },
      ])
      .toArray();
    expect(drawn.length).toBeGreaterThan(1); // all fifty the same: 50 ** -49
  });

  test('nests at most 20 pipelines', async () => {
    const nested = (depth: number): Document[] =>
      depth === 0 ? [] : [{ $lookup: { from: 'nothing', pipeline: nested(depth - 1), as: 'a' } }];
    await expect(run(...nested(20))).resolves.toHaveLength(3);
    await expect(orders.aggregate(nested(21), { promoteValues: true }).toArray()).rejects.toMatchObject({ code: 232 });
  });

  test('answers errors with their codes', async () => {
    const fail = (...stages: Document[]) => orders.aggregate(stages, { promoteValues: true }).toArray();
    await expect(fail({ $bogus: 1 })).rejects.toMatchObject({ code: 40324 });
    await expect(fail({ $changeStream: {} }, { $bogus: 1 })).rejects.toMatchObject({ code: 40324 });
    await expect(fail({ $changeStream: {} }, { $limit: 1 })).rejects.toMatchObject({ code: 20 });
    await expect(fail({ $group: {} })).rejects.toMatchObject({ code: 15955 });
    await expect(fail({ $collStats: { count: 1 } })).rejects.toMatchObject({ code: 14 });
    await expect(fail({ $graphLookup: 1 })).rejects.toMatchObject({ code: 9 });
    await expect(fail({ $graphLookup: { from: 1 } })).rejects.toMatchObject({ code: 9 });
    await expect(fail({ $merge: { into: 'copy', on: 1 } })).rejects.toMatchObject({ code: 51186 });
    await expect(fail({ $set: { x: { $divide: ['$n', 0] } } })).rejects.toMatchObject({ code: 16608 });
    await expect(fail({ $merge: { into: 'copy', whenMatched: 'fail' } })).rejects.toMatchObject({ code: 11000 });
  });

  test('explains no pipeline with a write concern', async () => {
    const command = { aggregate: 'orders', pipeline: [{ $out: 'copy' }], explain: true, writeConcern: { w: 1 } };
    await expect(client.db('aggregate_e2e').command(command)).rejects.toMatchObject({ code: 9 });
  });

  test('updates by a pipeline', async () => {
    await orders.updateOne({ _id: 3 as never }, [{ $set: { size: { $size: '$tags' }, price: '$$REMOVE' } }]);
    expect(await orders.findOne({ _id: 3 as never }, { projection: { size: 1, price: 1 } })).toEqual({
      _id: new Int32(3),
      size: new Int32(2),
    });
  });

  test('$meta gives the keys a document was sorted and found by', async () => {
    const docs = orders.db.collection('keys', { promoteValues: true });
    await docs.insertMany([{ a: 2, b: 1 }, { a: 1, b: 2 }]); // prettier-ignore
    await docs.createIndex({ a: 1 });
    const project = { $project: { _id: 0, a: 1, sorted: { $meta: 'sortKey' }, key: { $meta: 'indexKey' } } };
    expect(await docs.aggregate([{ $match: { a: { $gt: 0 } } }, { $sort: { b: 1 } }, project]).toArray()).toEqual([
      { a: 2, sorted: [1], key: { a: 2 } },
      { a: 1, sorted: [2], key: { a: 1 } },
    ]);
    const late = [{ $addFields: { c: { $add: ['$a', '$b'] } } }, { $sort: { c: 1, a: -1 } }, { $project: { _id: 0, k: { $meta: 'sortKey' } } }]; // prettier-ignore
    expect(await docs.aggregate(late).toArray()).toEqual([{ k: [3, 2] }, { k: [3, 1] }]);
  });

  test('$toHashedIndexKey gives what a hashed index keeps', async () => {
    const docs = orders.db.collection('hashed');
    await docs.insertOne({ n: 1 });
    const project = { _id: 0, n: { $toHashedIndexKey: '$n' }, same: { $toHashedIndexKey: 1.5 } };
    const [found] = await docs.aggregate([{ $project: project }]).toArray();
    expect(String(found?.n)).toBe('5902408780260971510');
    expect(String(found?.same)).toBe('5902408780260971510');
  });

  test('reads a view with the collation of the view, and refuses another', async () => {
    const { db } = orders;
    await db.createCollection('french', { viewOn: 'orders', pipeline: [], collation: { locale: 'fr' } });
    const view = db.collection('french');
    const refused = { codeName: 'OptionNotSupportedOnView' };
    await expect(view.find({}, { collation: { locale: 'de' } }).toArray()).rejects.toMatchObject(refused);
    await expect(view.aggregate([], { collation: { locale: 'simple' } }).toArray()).rejects.toMatchObject(refused);
    await expect(view.distinct('item', {}, { collation: { locale: 'de' } })).rejects.toMatchObject(refused);
    await expect(db.command({ count: 'french', collation: { locale: 'de' } })).rejects.toMatchObject(refused);
    expect(await view.find({}, { collation: { locale: 'fr', strength: 3 } }).toArray()).toHaveLength(3);
  });
});
