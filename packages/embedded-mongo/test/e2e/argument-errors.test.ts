import { describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { useTestServer } from '../support/connected.js';

const { Long } = mongoose.mongo;

describe('what is wrong with a command’s arguments', () => {
  let client: mongoose.mongo.MongoClient;
  let db: mongoose.mongo.Db;

  useTestServer('embedded_arguments', async (connected) => {
    client = connected;
    db = client.db('embedded_arguments');
    await db.collection('docs').insertOne({ a: [1, 2] });
  });

  it.each([
    [
      { find: 'docs', limit: {} },
      { code: 14, errmsg: /^BSON field 'FindCommandRequest.limit' is the wrong type 'object', expected types '\[/ },
    ],
    [
      { explain: { find: 'docs', skip: {} } },
      { code: 14, errmsg: /^BSON field 'FindCommandRequest.skip' is the wrong type 'object', expected types '\[/ },
    ],
    [
      { find: 'docs', unknown: 1 },
      { code: 40415, codeName: 'Location40415', errmsg: /'FindCommandRequest.unknown'/ },
    ],
    [
      { find: 'docs', singleBatch: 1 },
      { code: 14, errmsg: /^Field 'singleBatch' should be a boolean value, but found: int/ },
    ],
    [
      { find: 'docs', showRecordId: null },
      { code: 14, errmsg: /but found: null$/ },
    ],
    [
      { find: 'docs', sort: 'a' },
      { code: 14, errmsg: 'Expected field sortto be of type object' },
    ],
    [
      { find: 'docs', awaitData: true },
      { code: 9, errmsg: "Cannot set 'awaitData' without also setting 'tailable'" },
    ],
    [
      { find: 'docs', maxTimeMS: 1.5 },
      { code: 2, errmsg: 'maxTimeMS has non-integral value' },
    ],
    [
      { find: 'docs', maxTimeMS: Long.MAX_VALUE },
      { code: 2, errmsg: '9223372036854775807 value for maxTimeMS is out of range [0, 2147483647]' },
    ],
    [{ find: 42 }, { code: 2, errmsg: 'collection name has invalid type int' }],
    [
      { distinct: {}, key: 'a' },
      { code: 73, errmsg: 'collection name has invalid type object' },
    ],
    [
      { find: 'docs', filter: { a: { $bitsAllSet: [-1] } } },
      { code: 2, errmsg: /^Failed to parse bit position/ },
    ],
    [
      { insert: 'docs', documents: [{}, []] },
      { code: 14, errmsg: /documents.1' is the wrong type 'array'/ },
    ],
    [
      { insert: 'docs', documents: [{}], ordered: 1 },
      { code: 14, errmsg: /expected type 'bool'$/ },
    ],
    [
      { delete: 'docs', deletes: [{ q: {}, limit: 42.13 }] },
      { code: 9, errmsg: /Got 42.13$/ },
    ],
    [
      { delete: 'docs', deletes: [{ q: {} }] },
      { code: 40414, codeName: 'Location40414' },
    ],
    [{ findAndModify: '', remove: true }, { code: 73 }],
    [
      { killCursors: 'docs', cursors: [1] },
      { code: 14, errmsg: /'killCursors.cursors.0' is the wrong type 'int'/ },
    ],
    [
      { getMore: Long.fromNumber(1), collection: '' },
      { code: 73, errmsg: 'Collection names cannot be empty' },
    ],
    [
      { dropIndexes: 'docs', index: true },
      { code: 14, errmsg: /expected types '\[string, object'\]$/ },
    ],
    [
      { dropIndexes: 'docs', index: [{ a: 1 }] },
      { code: 14, errmsg: /expected types '\[string'\]$/ },
    ],
    [
      { aggregate: 'docs', pipeline: [], cursor: 'x' },
      { code: 14, errmsg: 'cursor field must be missing or an object' },
    ],
    [
      { aggregate: 'docs', pipeline: [], cursor: { batchSize: true } },
      { code: 14, errmsg: /'cursor.batchSize'/ },
    ],
    [{ aggregate: 'none', pipeline: [{ $collStats: { storageStats: {} } }], cursor: {} }, { code: 26 }],
    [{ aggregate: 'docs', pipeline: [{ $collStats: { storageStats: { scale: 0 } } }], cursor: {} }, { code: 51024 }],
    [{ aggregate: 'docs', pipeline: [{ $unset: ['a', 'a'] }], cursor: {} }, { code: 31250 }],
    [{ aggregate: 'docs', pipeline: [{ $group: { v: {} } }], cursor: {} }, { code: 40234 }],
    [{ aggregate: 'docs', pipeline: [{ $project: { v: { $none: 1 } } }], cursor: {} }, { code: 31325 }],
    [
      {
        createIndexes: 'docs',
        indexes: [
          { key: { b: 1 }, name: 'b' },
          { key: { b: 1 }, name: 'b' },
        ],
      },
      { code: 68, errmsg: 'Identical index already exists: b' },
    ],
    [{ dataSize: 'nodot' }, { code: 73 }],
    [
      { dbStats: 1, scale: 0 },
      { code: 2, errmsg: 'Scale factor must be greater than zero' },
    ],
    [{ getLog: 'none' }, { code: 96, codeName: 'OperationFailed' }],
  ])(
    '%j is refused as MongoDB 7.0 refuses it',
    async (command, { errmsg = /./, ...expected }: { code: number; codeName?: string; errmsg?: RegExp | string }) => {
      const error = await (('getLog' in command ? client.db('admin') : db) as mongoose.mongo.Db)
        .command(command as never)
        .then(
          () => undefined,
          (refused: mongoose.mongo.MongoServerError) => refused,
        );
      expect(error).toMatchObject(expected);
      expect(error!.message).toMatch(errmsg);
    },
  );

  it('the positional $ of a projection needs a match in an array, found when it runs', async () => {
    const docs = db.collection('docs');
    await expect(docs.findOne({}, { projection: { 'a.$': 1 } })).rejects.toMatchObject({ code: 51246 });
    await expect(docs.findOne({}, { projection: { 'a.$.b': 1 } })).rejects.toMatchObject({ code: 31394 });
    await expect(docs.findOne({}, { projection: { 'a.$': 0 } })).rejects.toMatchObject({ code: 31395 });
    await expect(docs.findOne({}, { projection: { $: 1 } })).rejects.toMatchObject({ code: 16410 });
  });

  it('$near without an index tells the field, which clients read from the message', async () => {
    const near = db.collection('docs').findOne({ place: { $nearSphere: [0, 0], $maxDistance: 2 } });
    await expect(near).rejects.toMatchObject({
      code: 291,
      message: expect.stringMatching(
        /GEONEAR {2}field=place maxdist=2 isNearSphere=1\n[^]*unable to find index for \$geoNear query$/,
      ),
    });
  });

  it('a script that takes longer than maxTimeMS is refused even for the last document', async () => {
    const slow = db.collection('docs').find({ $where: 'sleep(60)' }, { maxTimeMS: 20 }).toArray();
    await expect(slow).rejects.toMatchObject({ code: 50 });
  });

  it('distinct reads the keys of an index, in which a missing value is null', async () => {
    const keyed = db.collection('keyed');
    await keyed.insertMany([{ v: 1 }, {}, { v: 2 }, { v: 2 }]);
    expect(await keyed.distinct('v')).toEqual([1, 2]);
    await keyed.createIndex({ v: 1 });
    expect(await keyed.distinct('v')).toEqual([null, 1, 2]);
    expect(await keyed.distinct('v', { v: { $gt: 1 } })).toEqual([2]);
    await keyed.insertOne({ v: [3, 2] });
    expect(await keyed.distinct('v')).toEqual([null, 1, 2, 3]);
    await keyed.deleteMany({ v: { $exists: false } });
    expect(await keyed.distinct('v')).toEqual([1, 2, 3]);
  });

  it('a partial index that is hinted gives what it has', async () => {
    const partial = db.collection<{ _id: number; a: number; b?: number }>('partial');
    await partial.insertMany([{ _id: 1, a: 1 }, { _id: 2, a: 2, b: 5 }]); // prettier-ignore
    await partial.createIndex({ a: 1 }, { partialFilterExpression: { b: { $gt: 1 } } });
    const found = partial.find({ a: { $gt: 0 } }).hint({ a: 1 });
    expect(await found.toArray()).toEqual([{ _id: 2, a: 2, b: 5 }]);
    expect(await partial.find().min({ a: 0 }).max({ a: 9 }).hint({ a: 1 }).toArray()).toHaveLength(1);
  });

  it('an upsert with an expression is refused, also where it would find something', async () => {
    const refused = db
      .collection('keyed')
      .updateOne({ $expr: { $gt: ['$v', 0] } }, { $set: { z: 1 } }, { upsert: true });
    await expect(refused).rejects.toMatchObject({ code: 224 });
    const found = db.collection('keyed').findOneAndUpdate({ $expr: true }, { $set: { z: 1 } }, { upsert: true });
    await expect(found).rejects.toMatchObject({ code: 224 });
  });

  it.each<[number, object]>([
    [2, { key: { a: 1, b: -1 }, partialFilterExpression: { a: { $ne: 1 } }, wildcardProjection: { a: 1 } }],
    [2, { key: { a: 'hashed' }, unique: true, wildcardProjection: { a: 1 } }],
    [9, { key: { 'd.$**': 1 }, sparse: true, wildcardProjection: { a: 1 } }],
  ])('a wildcardProjection where it has no place is refused first: %d', async (code, spec) => {
    const created = db.command({ createIndexes: 'keyed', indexes: [{ name: 'x', ...spec }] });
    await expect(created).rejects.toMatchObject({ code });
  });

  it('distinct gives values in MongoDB’s order', async () => {
    await db.collection('mixed').insertMany([{ v: [6, 'b'] }, { v: 0 }, { v: null }, { v: [{ a: 1 }, 'a'] }, { v: 5 }]);
    expect(await db.collection('mixed').distinct('v')).toEqual([null, 0, 5, 6, 'a', 'b', { a: 1 }]);
  });

  it('commands take their older spellings', async () => {
    expect(await db.command({ dbstats: 1, freeStorage: 1 })).toMatchObject({ ok: 1, freeStorageSize: 0 });
    expect(await db.command({ findandmodify: 'docs', query: { a: 9 }, remove: true })).toMatchObject({ ok: 1 });
  });
});
