import { beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { useTestServer } from '../support/connected.js';

const { MaxKey, MinKey } = mongoose.mongo;

describe('indexes', () => {
  let client: mongoose.mongo.MongoClient;
  let docs: mongoose.mongo.Collection;

  useTestServer('embedded_indexes', (connected) => {
    client = connected;
    docs = client.db('embedded_indexes').collection('docs');
  });

  beforeEach(() => docs.drop());

  it('are listed with `background` and `sparse` as they were given', async () => {
    await docs.createIndex({ a: 1 }, { background: false, sparse: false });
    await docs.createIndex({ b: 1 }, { background: true, unique: false });
    expect(await docs.indexes()).toEqual([
      { v: 2, key: { _id: 1 }, name: '_id_' },
      { v: 2, key: { a: 1 }, name: 'a_1', background: false, sparse: false },
      { v: 2, key: { b: 1 }, name: 'b_1', background: true },
    ]);
  });

  it.each([
    ['$ne', { a: { $ne: 1 } }],
    ['$exists: false', { a: { $exists: false } }],
    ['$nor', { $nor: [{ a: 1 }] }],
    ['a regular expression', { a: /x/ }],
  ])('refuse %s in a partialFilterExpression', async (_what, partialFilterExpression) => {
    await expect(docs.createIndex({ a: 1 }, { partialFilterExpression })).rejects.toMatchObject({ code: 67 });
  });

  it('take what the manual lists in a partialFilterExpression', async () => {
    const partialFilterExpression = {
      $or: [
        { a: { $in: [1, 2] } },
        { $and: [{ b: { $exists: true, $type: 'int' } }, { c: { $gt: 1, $lte: 5 } }, { d: 1 }] },
      ],
    };
    await expect(docs.createIndex({ a: 1 }, { partialFilterExpression })).resolves.toBe('a_1');
  });

  it.each(['unique', 'background', 'sparse'])('let the one on _id have no option `%s`', async (option) => {
    await expect(docs.createIndex({ _id: 1 }, { [option]: true })).rejects.toMatchObject({ code: 197 });
  });

  it.each([
    ['of version 0', { key: { a: 1 }, name: 'a', v: 0 }, 67],
    ['with a name that has a null byte', { key: { a: 1 }, name: 'a\0' }, 67],
    ['on $id at the start of a path', { key: { $id: 1 }, name: 'a' }, 67],
    ['with an option that is not known', { key: { a: 1 }, name: 'a', bogus: 1 }, 197],
  ])('refuse one %s', async (_what, index, code) => {
    const command = { createIndexes: 'docs', indexes: [index] };
    await expect(client.db('embedded_indexes').command(command)).rejects.toMatchObject({ code });
  });

  it('leave options out that are not known, if so told', async () => {
    const indexes = [{ key: { a: 1 }, name: 'a', bogus: 1 }];
    await client.db('embedded_indexes').command({ createIndexes: 'docs', indexes, ignoreUnknownIndexOptions: true });
    expect(await docs.indexes()).toContainEqual({ v: 2, key: { a: 1 }, name: 'a' });
  });

  it('are dropped by names that are strings', async () => {
    await docs.createIndex({ a: 1 });
    const drop = client.db('embedded_indexes').command({ dropIndexes: 'docs', index: ['a_1', 1] });
    await expect(drop).rejects.toMatchObject({ code: 14 });
    expect(await docs.indexes()).toHaveLength(2);
  });

  it('name the unknown field of a collation before the missing locale', async () => {
    const collation = { wrong: 1 } as never;
    await expect(docs.createIndex({ a: 1 }, { collation })).rejects.toMatchObject({ code: 40415 });
  });

  it('refuse an empty collation, which a query takes as none', async () => {
    await expect(docs.createIndex({ a: 1 }, { collation: {} as never })).rejects.toMatchObject({ code: 2 });
    await docs.insertOne({ a: 'A' });
    expect(await docs.countDocuments({ a: 'a' }, { collation: {} as never })).toBe(0);
  });

  it('cut long keys in the error of a duplicate', async () => {
    const a = 'x'.repeat(400);
    await docs.createIndex({ a: 1 }, { unique: true });
    await docs.insertOne({ a });
    await expect(docs.insertOne({ a })).rejects.toThrow(`dup key: { a: "${'x'.repeat(70)}..." }`);
  });

  it('find beside MinKey and MaxKey what a full scan finds, also where an array holds no documents', async () => {
    const values = [
      {},
      { a: [] },
      { a: [1] },
      { a: [[]] },
      { a: [{}] },
      { a: { b: [] } },
      { a: [{ b: new MinKey() }] },
    ];
    await docs.insertMany(values.map((value, _id) => ({ _id, ...value }) as never));
    await docs.createIndex({ 'a.b': 1 });
    for (const operator of ['$gt', '$gte', '$lt', '$lte'])
      for (const bound of [new MinKey(), new MaxKey()]) {
        const found = async (hint: mongoose.mongo.Hint) =>
          (
            await docs
              .find({ 'a.b': { [operator]: bound } }, { hint })
              .sort({ _id: 1 })
              .toArray()
          ).map(({ _id }) => _id);
        expect({ operator, bound, found: await found('a.b_1') }).toEqual({
          ...{ operator, bound, found: await found({ $natural: 1 }) },
        });
      }
  });
});
