import { beforeEach, describe, expect, it } from '@jest/globals';
import mongoose, { type mongo } from 'mongoose';
import { useOwnServer } from '../support/connected.js';

const { Timestamp, Long } = mongoose.mongo;

describe('local.oplog.rs', () => {
  let client: mongo.MongoClient;
  let oplog: mongo.Collection;
  let docs: mongo.Collection<{ _id: number; [field: string]: unknown }>;

  useOwnServer((connected) => {
    client = connected;
    oplog = client.db('local').collection('oplog.rs');
    docs = client.db('shop').collection('docs');
  });

  beforeEach(() => client.db('shop').dropDatabase());

  const newest = async (): Promise<mongo.Timestamp> =>
    (await oplog.find().sort({ $natural: -1 }).limit(1).next())!.ts as mongo.Timestamp;
  const since = (ts: mongo.Timestamp) => oplog.find({ ts: { $gt: ts } }).toArray();

  it('begins with the entry of an initiated set, and is listed', async () => {
    expect(await oplog.find().limit(1).next()).toMatchObject({ op: 'n', ns: '', o: { msg: 'initiating set' } });
    const [info] = await client.db('local').listCollections({ name: 'oplog.rs' }).toArray();
    expect(info).toMatchObject({ options: { capped: true } });
  });

  it('has inserts, updates, replacements and deletes as MongoDB writes them', async () => {
    await docs.insertOne({ _id: 0 });
    const start = await newest();
    await docs.insertOne({ _id: 1, a: 1, list: [1, { b: 2 }, 3], inner: { x: 1, y: 2 } });
    await docs.updateOne({ _id: 1 }, { $set: { a: 2, 'list.1.b': 3, 'inner.x': 5 }, $unset: { 'inner.y': '' } });
    await docs.updateOne({ _id: 1 }, [{ $set: { list: { $slice: ['$list', 2] } } }]);
    await docs.replaceOne({ _id: 1 }, { z: 1 });
    await docs.deleteOne({ _id: 1 });
    const entries = await since(start);
    expect(entries).toMatchObject([
      { op: 'i', ns: 'shop.docs', o: { _id: 1, a: 1 }, o2: { _id: 1 }, v: 2, t: 1 },
      {
        op: 'u',
        o: {
          $v: 2,
          diff: { u: { a: 2 }, slist: { a: true, s1: { u: { b: 3 } } }, sinner: { u: { x: 5 }, d: { y: false } } },
        },
        o2: { _id: 1 },
      },
      { op: 'u', o: { $v: 2, diff: { slist: { a: true, l: 2 } } } },
      { op: 'u', o: { _id: 1, z: 1 }, o2: { _id: 1 } },
      { op: 'd', o: { _id: 1 } },
    ]);
    for (const entry of entries) {
      expect(entry.ui).toBeInstanceOf(mongoose.mongo.Binary);
      expect(entry.wall).toBeInstanceOf(Date);
      expect(entry.ts).toBeInstanceOf(Timestamp);
    }
  });

  it('has commands', async () => {
    const start = await newest();
    await docs.insertOne({ _id: 1 });
    await docs.createIndex({ a: 1 });
    await docs.rename('renamed');
    await client.db('shop').dropDatabase();
    expect(await since(start)).toMatchObject([
      { op: 'c', ns: 'shop.$cmd', o: { create: 'docs', idIndex: { name: '_id_' } } },
      { op: 'i' },
      { op: 'c', ns: 'shop.$cmd', o: { createIndexes: 'docs', v: 2, key: { a: 1 }, name: 'a_1' } },
      { op: 'c', o: { renameCollection: 'shop.docs', to: 'shop.renamed', dropTarget: false } },
      { op: 'c', o: { drop: 'renamed' } },
      { op: 'c', o: { dropDatabase: 1 } },
    ]);
  });

  it('has a transaction as one entry, and nothing of one that was aborted', async () => {
    await docs.insertOne({ _id: 0 });
    const start = await newest();
    await client.withSession((session) =>
      session.withTransaction(async () => {
        await docs.insertOne({ _id: 1 }, { session });
        await docs.deleteOne({ _id: 0 }, { session });
      }),
    );
    await client.withSession(async (session) => {
      session.startTransaction();
      await docs.insertOne({ _id: 2 }, { session });
      await session.abortTransaction();
    });
    expect(await since(start)).toMatchObject([
      {
        op: 'c',
        ns: 'admin.$cmd',
        txnNumber: expect.anything(),
        lsid: { id: expect.anything() },
        o: {
          applyOps: [
            { op: 'i', ns: 'shop.docs', o: { _id: 1 } },
            { op: 'd', o: { _id: 0 } },
          ],
        },
        prevOpTime: { t: -1 },
      },
    ]);
  });

  it('can be tailed from a time on, as Meteor does', async () => {
    const ts = await newest();
    const tail = oplog.find(
      { ns: 'shop.docs', op: { $in: ['i', 'u'] }, ts: { $gt: ts } },
      { tailable: true, awaitData: true, maxAwaitTimeMS: 300, projection: { o: 1, ts: 1 } },
    );
    expect(await tail.tryNext()).toBeNull();
    const arrives = tail.next();
    await client.db('shop').collection('others').insertOne({ n: 1 });
    await docs.insertOne({ _id: 7 });
    expect(await arrives).toMatchObject({ o: { _id: 7 } });
    await docs.updateOne({ _id: 7 }, { $set: { a: Long.fromNumber(1) } });
    expect(await tail.next()).toMatchObject({ o: { diff: { u: { a: 1 } } } });
    await tail.close();
  });

  it('leaves out what is not replicated, and answers count, distinct and aggregate', async () => {
    const start = await newest();
    await client.db('local').collection('own').insertOne({ n: 1 });
    await docs.insertMany([{ _id: 1 }, { _id: 2 }]);
    const filter = { ts: { $gt: start } };
    expect(await oplog.countDocuments({ ...filter, op: 'i' })).toBe(2);
    expect(await oplog.distinct('ns', filter)).toEqual(['shop.$cmd', 'shop.docs']);
    const groups = [{ $match: filter }, { $group: { _id: '$op', n: { $sum: 1 } } }, { $sort: { _id: 1 } }];
    expect(await oplog.aggregate(groups).toArray()).toEqual([{ _id: 'c', n: 1 }, { _id: 'i', n: 2 }]); // prettier-ignore
  });

  it('is beside the views of a database the collection that is made when it is read', async () => {
    await client.db('shop').createCollection('cheap', { viewOn: 'docs', pipeline: [{ $match: { price: 1 } }] });
    expect(await client.db('shop').collection('system.views').find().toArray()).toEqual([
      { _id: 'shop.cheap', viewOn: 'docs', pipeline: [{ $match: { price: 1 } }] },
    ]);
  });
});
