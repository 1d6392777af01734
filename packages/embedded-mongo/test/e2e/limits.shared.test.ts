import { describe, expect, it } from '@jest/globals';
import type { mongo } from 'mongoose';
import { useOwnServer } from '../support/connected.js';

let client: mongo.MongoClient;
let db: mongo.Db;

useOwnServer(async (connected) => {
  client = connected;
  db = client.db('shared');
  await db.collection<{ _id: number }>('one').insertOne({ _id: 1 });
});

const range = (n: number): object => ({ $range: [0, n] });
const aggregate = (pipeline: object[], maxTimeMS = 5000): Promise<unknown> =>
  db.collection('one').aggregate(pipeline, { maxTimeMS }).toArray(); // prettier-ignore

/** A value that holds itself twice, so many times. */
const doubled = (n: number, initialValue: unknown = '$_id'): object =>
  ({ $reduce: { input: range(n), initialValue, in: { a: '$$value', b: '$$value' } } }); // prettier-ignore
const doubledArray = (n: number): object => ({ $reduce: { input: range(n), initialValue: { a: 1 }, in: ['$$value', '$$value', '$$value'] } }); // prettier-ignore
/** `$let` over `$let`, each of which holds the one before twice. */
const nested = (n: number, body: object): object => {
  let expression: object = body;
  for (let i = n; i > 0; i--) expression = { $let: { vars: { [`v${i}`]: [`$$v${i - 1}`, `$$v${i - 1}`] }, in: expression } }; // prettier-ignore
  return { $let: { vars: { v0: { a: '$_id' } }, in: expression } };
};

describe('a value that holds another one many times', () => {
  it.each<[string, object[]]>([
    ['$toHashedIndexKey', [{ $project: { x: nested(50, { $toHashedIndexKey: '$$v50' }) } }]],
    ['a path', [{ $project: { x: { $let: { vars: { v: doubledArray(40) }, in: '$$v.a.a.a' } } } }]],
    ['$project', [{ $project: { x: doubledArray(40) } }, { $project: { 'x.a': 1 } }]],
    ['$unset', [{ $project: { x: doubled(60) } }, { $unset: 'x.a.b' }]],
    ['$set', [{ $project: { x: doubledArray(40) } }, { $set: { 'x.c': 1 } }]],
    ['$function', [{ $project: { x: { $function: { body: 'function(x) { return 1 }', args: [doubled(60)], lang: 'js' } } } }]], // prettier-ignore
    ['$bsonSize', [{ $project: { x: { $bsonSize: doubled(60) } } }]],
    ['the text of an error', [{ $project: { x: { $add: [doubled(60), 1] } } }]],
    ['documents that are made of whole ones', Array.from({ length: 60 }, () => ({ $project: { a: '$$ROOT', b: '$$ROOT' } }))], // prettier-ignore
    ['$replaceRoot', Array.from({ length: 60 }, () => ({ $replaceRoot: { newRoot: { a: '$$ROOT', b: '$$ROOT' } } }))],
    ['$group', Array.from({ length: 60 }, () => ({ $group: { _id: null, a: { $first: '$$ROOT' }, b: { $last: '$$ROOT' } } }))], // prettier-ignore
    ['$setWindowFields', Array.from({ length: 60 }, () => ({ $setWindowFields: { sortBy: { _id: 1 }, output: { a: { $first: '$$ROOT' }, b: { $last: '$$ROOT' } } } }))], // prettier-ignore
    ['$match', [{ $set: { x: doubledArray(40) } }, { $match: { 'x.a': 7 } }]],
    ['$sort', [{ $set: { x: doubled(60) } }, { $sort: { x: 1 } }]],
    ['$unwind and $group', [{ $set: { x: [doubled(60)] } }, { $unwind: '$x' }, { $group: { _id: '$x' } }]],
    ['$concatArrays of arrays of itself', [{ $project: { x: { $reduce: { input: range(60), initialValue: [1], in: { $concatArrays: [['$$value'], ['$$value']] } } } } }]], // prettier-ignore
    ['$map', [{ $project: { x: { $reduce: { input: range(20), initialValue: 1, in: { $map: { input: range(100), in: '$$value' } } } } } }]], // prettier-ignore
    ['$zip', [{ $project: { x: { $reduce: { input: range(60), initialValue: [1], in: { $zip: { inputs: [['$$value'], ['$$value']] } } } } } }]], // prettier-ignore
    ['$mergeObjects', [{ $project: { x: { $reduce: { input: range(60), initialValue: {}, in: { $mergeObjects: ['$$value', { a: '$$value' }, { b: '$$value' }] } } } } }]], // prettier-ignore
    ['$setField', [{ $project: { x: { $reduce: { input: range(60), initialValue: {}, in: { $setField: { field: 'a', input: { b: '$$value' }, value: '$$value' } } } } } }]], // prettier-ignore
  ])("ends with MongoDB's error for what is too large, whatever goes over it: %s", async (_title, pipeline) => {
    await expect(aggregate(pipeline)).rejects.toMatchObject({ code: 146, codeName: 'ExceededMemoryLimit' });
    expect(await db.command({ ping: 1 })).toMatchObject({ ok: 1 });
  });

  it('is no reason where it is small', async () => {
    expect(await aggregate([{ $project: { n: { $size: doubledArray(8) }, x: doubled(2) } }])).toEqual([
      { _id: 1, n: 3, x: { a: { a: 1, b: 1 }, b: { a: 1, b: 1 } } },
    ]);
  });

  it.each<[string, object]>([
    ['$bsonSize', { $bsonSize: '$$v' }],
    ['$toHashedIndexKey', { $toHashedIndexKey: '$$v' }],
    ['a set', { $size: { $setUnion: [['$$v'], ['$$v']] } }],
    ['a comparison', { $eq: ['$$v', { $mergeObjects: ['$$v', {}] }] }],
  ])('takes no longer than there is time, when it is gone over again and again: %s', async (_title, body) => {
    const again = { $let: { vars: { v: doubled(19) }, in: { $map: { input: range(100_000), in: body } } } };
    const began = performance.now();
    await expect(aggregate([{ $project: { x: { $size: again } } }], 300)).rejects.toMatchObject({ code: 50 });
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('an update by a pipeline is refused as a projection is', async () => {
    const doubling = Array.from({ length: 60 }, () => ({ $set: { a: '$$ROOT', b: '$$ROOT' } }));
    await expect(db.collection('one').updateOne({}, doubling)).rejects.toMatchObject({ code: 146 });
    expect(await db.collection('one').findOne()).toEqual({ _id: 1 });
  });
});

describe('a value that is nested deeply', () => {
  const deep = (n: number): object => ({ $reduce: { input: range(n), initialValue: 1, in: ['$$value'] } });

  it.each<[string, object]>([
    ['compared', { $eq: [deep(100_000), deep(100_000)] }],
    ['hashed', { $toHashedIndexKey: deep(100_000) }],
    ['in a set', { $setUnion: [[deep(100_000)]] }],
    ['given back', deep(100_000)],
  ])("has MongoDB's error, not the engine's: %s", async (_title, x) => {
    await expect(aggregate([{ $project: { x } }])).rejects.toMatchObject({ code: 15, codeName: 'Overflow' });
  });
});

describe('what is long', () => {
  it('$regexFindAll gives many captures, or says that they are too many', async () => {
    const text = { $reduce: { input: range(17), initialValue: 'ab', in: { $concat: ['$$value', '$$value'] } } };
    const groups = { $regexFindAll: { input: text, regex: `a${'(x)?'.repeat(200)}` } };
    await expect(aggregate([{ $project: { n: { $size: groups } } }])).rejects.toMatchObject({ code: 51151 });
    const few = { $regexFindAll: { input: text, regex: 'b' } };
    const last = { $getField: { field: 'idx', input: { $last: few } } };
    expect(await aggregate([{ $project: { _id: 0, n: { $size: few }, last } }])).toEqual([{ n: 2 ** 17, last: 2 ** 18 - 1 }]); // prettier-ignore
  });

  it('a line of 100,000 points is indexed and found', async () => {
    const lines = db.collection('lines');
    await lines.createIndex({ at: '2dsphere' });
    const coordinates = Array.from({ length: 100_000 }, (_, i) => [10 + i * 1e-7, 20 + (i % 2) * 1e-7]);
    await lines.insertOne({ at: { type: 'LineString', coordinates } });
    const near = { type: 'Polygon', coordinates: [[[9, 19], [11, 19], [11, 21], [9, 21], [9, 19]]] }; // prettier-ignore
    expect(await lines.countDocuments({ at: { $geoIntersects: { $geometry: near } } })).toBe(1);
  }, 30_000);

  it.each<[string, (n: number) => object]>([
    ['$in', (n) => ({ _id: { $in: Array.from({ length: n }, (_, i) => i) } })],
    ['$or', (n) => ({ $or: Array.from({ length: n }, (_, i) => ({ _id: i })) })],
    ['$all', (n) => ({ _id: { $all: Array.from({ length: n / 10 }, () => 1) } })],
  ])(
    'a long %s finds what it finds of one',
    async (_title, filterOf) => {
      expect(await db.collection('one').find(filterOf(150_000)).toArray()).toEqual([{ _id: 1 }]);
    },
    30_000,
  );

  it('$zip of 150,000 arrays has a row of 150,000', async () => {
    const zip = { $zip: { inputs: Array.from({ length: 150_000 }, () => [1]) } };
    expect(await aggregate([{ $project: { _id: 0, n: { $size: { $first: zip } } } }], 20_000)).toEqual([{ n: 150_000 }]); // prettier-ignore
  }, 30_000);
});
