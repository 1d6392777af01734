import { describe, expect, it } from '@jest/globals';
import mongoose, { type mongo } from 'mongoose';
import { useOwnServer } from '../support/connected.js';

const { BSONRegExp } = mongoose.mongo;

interface Numbered extends mongo.Document {
  _id: number;
}

let client: mongo.MongoClient;
let db: mongo.Db;

const list = <T>(length: number, each: (i: number) => T): T[] => Array.from({ length }, (_, i) => each(i));
const numbers = (length: number, from = 0): number[] => list(length, (i) => from + i);
const absent = (length: number): string[] => list(length, (i) => `x${i}`);
const fields = (length: number, each: (i: number) => [string, unknown]): object =>
  Object.fromEntries(list(length, each));

/** How much each document has: what is gone over for each of as many others takes minutes. */
const MANY = 100_000;
const ring = (corners: number): number[][] => {
  const places = list(corners, (i) => [
    20 * Math.cos((2 * Math.PI * i) / corners),
    20 * Math.sin((2 * Math.PI * i) / corners),
  ]);
  return [...places, places[0]!];
};
const zigzag = (corners: number): number[][] => list(corners, (i) => [i % 2 ? 10 : -10, -40 + (80 * i) / corners]);

useOwnServer(async (connected) => {
  client = connected;
  db = client.db('interrupts');
  await db.collection<Numbered>('big').insertOne({
    _id: 1,
    a: numbers(MANY),
    s: list(MANY, (i) => `s${i}`),
    d: list(MANY, (x) => ({ x })),
    n: list(300, (y) => ({ m: list(200, (x) => ({ x, y })) })),
    line: { type: 'LineString', coordinates: ring(20_000).slice(0, -1) },
  });
  await db.collection('many').insertMany(list(10_000, (i) => ({ a: [i, i + 1, i + 2], b: `s${i}`, c: i })));
  await db.collection('planned').createIndexes([{ key: { a: 1, b: 1 } }, { key: { b: 1, c: 1 } }]);
  await db.collection('planned').insertMany(list(2000, (i) => ({ a: i, b: i % 7, c: [i, 5] })));
  await db.collection('texts').createIndex({ '$**': 'text' });
  await db.createCollection('collated', { collation: { locale: 'en', strength: 2 } });
  await db.collection('collated').createIndex({ a: 1 });
  await db.createCollection('ruled', { validator: { a: { $not: { $elemMatch: { $in: absent(20_000) } } } } });
  await db.collection('indexed').createIndexes(list(60, (i) => ({ key: { 'a.x': 1, [`a.y${i}`]: 1, c: 1 } })));
});

const find = (filter: object, more: object = {}): object => ({ find: 'big', filter, ...more });
const update = (u: unknown, more: object = {}): object => ({ update: 'big', updates: [{ q: {}, u, ...more }] });
const schema = (properties: object): object => find({ $jsonSchema: { properties } });
const aggregate = (...pipeline: object[]): object => ({ aggregate: 'big', pipeline, cursor: {} });

const COMMANDS: [string, object][] = [
  ['$all', find({ a: { $all: numbers(MANY).reverse() } })],
  ['$nin', find({ s: { $nin: absent(MANY) } }, { sort: { s: 1, a: -1 } })],
  ['$in of regular expressions', find({ s: { $in: list(2000, (i) => new BSONRegExp(`x${i}`)) } })],
  ['$or', { find: 'many', filter: { $or: list(20_000, (i) => ({ a: -i - 1 })) } }],
  ['$and', find({ $and: list(10_000, (i) => ({ a: MANY - 1 - i })) })],
  ['$nor', find({ $nor: list(20_000, (i) => ({ s: `x${i}` })) })],
  ['$bitsAllSet', find({ a: { $bitsAllSet: Buffer.alloc(1_000_000, 255) } })],
  ['$elemMatch', find({ d: { $elemMatch: { $or: list(5000, (i) => ({ x: -i - 1 })) } } })],
  ['$elemMatch in $elemMatch', find({ $nor: list(3000, (i) => ({ n: { $elemMatch: { m: { $elemMatch: { x: -1 - i } } } } })) })], // prettier-ignore
  ['$elemMatch of values', find({ a: { $elemMatch: { $nin: numbers(MANY, MANY), $not: { $all: [-1] }, $gt: 1e9, $mod: [7, 9] } }, $nor: list(500, (i) => ({ a: { $elemMatch: { $gt: 1e9 + i } } })) })], // prettier-ignore
  ['$expr', find({ $expr: { $or: list(20_000, (i) => ({ $in: [-1 - i, '$a'] })) } })],
  ['$jsonSchema: anyOf', schema({ a: { items: { not: { anyOf: list(2000, (i) => ({ enum: [-1 - i] })) } } } })],
  ['$jsonSchema: patternProperties', schema({ d: { items: { patternProperties: fields(5000, (i) => [`q${i}`, {}]) } } })], // prettier-ignore
  ['$jsonSchema: required', schema({ d: { items: { not: { required: ['x', ...absent(20_000)] } } } })],
  ['$jsonSchema: properties', schema({ d: { items: { properties: fields(20_000, (i) => [`q${i}`, {}]) } } })],
  ['$jsonSchema: uniqueItems', find({ $nor: list(400, (i) => ({ $jsonSchema: { properties: { d: { uniqueItems: true, minItems: 1e7 + i } } } })) })], // prettier-ignore
  ['$geoIntersects', find({ line: { $geoIntersects: { $geometry: { type: 'LineString', coordinates: zigzag(50_000) } } } })], // prettier-ignore
  ['$geoWithin', find({ line: { $geoWithin: { $geometry: { type: 'Polygon', coordinates: [ring(50_000)] } } } })],
  ['a ring that crosses itself everywhere', find({ line: { $geoWithin: { $geometry: { type: 'Polygon', coordinates: [[...zigzag(50_000), zigzag(50_000)[0]]] } } } })], // prettier-ignore
  ['a projection', find({}, { projection: { d: { $elemMatch: { $or: list(5000, (i) => ({ x: -i - 1 })) } } } })],
  ['the bounds of an index', { find: 'planned', filter: { a: { $in: numbers(MANY) }, b: { $in: numbers(MANY) } } }],
  ['clauses of an index each', { find: 'planned', filter: { $or: list(20_000, (i) => ({ a: i, b: { $in: [1, 2, i] } })) } }], // prettier-ignore
  ['arrayFilters', update({ $set: { 'd.$[e].z': 1 } }, { arrayFilters: [{ $or: list(5000, (i) => ({ 'e.x': -i - 1 })) }] })], // prettier-ignore
  ['many arrayFilters', update({ $set: fields(500, (i) => [`d.$[e${i}].z${i}`, 1]) }, { arrayFilters: list(500, (i) => ({ [`e${i}.x`]: { $gte: 0 } })) })], // prettier-ignore
  ['$pull', update({ $pull: { d: { $or: list(5000, (i) => ({ x: -i - 1 })) } } })],
  ['$set of every element', update({ $set: { 'a.$[]': numbers(5000) } })],
  ['the positional $', { update: 'big', updates: [{ q: { $and: list(10_000, (i) => ({ a: MANY - 1 - i })) }, u: { $set: { 'a.$': 1 } } }] }], // prettier-ignore
  ['an update by pipeline', update([{ $set: { z: { $map: { input: '$a', in: { $in: ['$$this', '$s'] } } } } }])],
  ['a delete', { delete: 'many', deletes: [{ q: { $nor: list(20_000, (i) => ({ b: `x${i}` })) }, limit: 0 }] }],
  ['distinct', { distinct: 'big', key: 'd', query: { $nor: list(20_000, (i) => ({ s: `x${i}` })) } }],
  ['findAndModify', { findAndModify: 'big', query: { $nor: list(20_000, (i) => ({ s: `x${i}` })) }, update: { $set: { z: 1 } } }], // prettier-ignore
  ['a validator', { insert: 'ruled', documents: list(40, () => ({ a: list(20_000, (i) => `s${i}`) })) }],
  ['keys of 60 compound indexes', { insert: 'indexed', documents: list(6, () => ({ a: list(30_000, (i) => ({ x: [1, 2, 3, i], y1: i })) })) }], // prettier-ignore
  ['keys of a collated index', { insert: 'collated', documents: [{ a: list(200_000, (i) => `S${i}`) }] }],
  ['terms of a text index', { insert: 'texts', documents: list(4, (n) => ({ a: list(100_000, (i) => `running ${n} ${i}`) })) }], // prettier-ignore
  ['the building of an index', { createIndexes: 'big', indexes: list(30, (i) => ({ key: { [`d.x${i}`]: 1, [`d.x`]: 1 }, name: `x${i}` })) }], // prettier-ignore
  ['a sort', aggregate({ $unwind: '$d' }, { $unwind: '$n' }, { $project: { d: 1, r: { $rand: {} } } }, { $sort: { r: 1 } })], // prettier-ignore
  ['a group of many keys', aggregate({ $unwind: '$a' }, { $unwind: '$d' }, { $group: { _id: ['$a', '$d'] } }, { $count: 'n' })], // prettier-ignore
  ['a bucket', aggregate({ $unwind: '$a' }, { $bucketAuto: { groupBy: '$a', buckets: 2_000_000 } }, { $sort: { n: 1 } })], // prettier-ignore
];

describe('what a client may make last long', () => {
  it.each(COMMANDS)('ends when the time is over: %s', async (_title, command) => {
    await expect(db.command({ ...command, maxTimeMS: 50 })).rejects.toMatchObject({ code: 50 });
  });

  it('ends in time that a client gives to all batches of a cursor together', async () => {
    const { cursor } = await db.command({ find: 'big', filter: {}, batchSize: 0, maxTimeMS: 400, projection: { d: { $elemMatch: { $or: list(20_000, (i) => ({ x: -i - 1 })) } } } }, { promoteLongs: false }); // prettier-ignore
    await expect(db.command({ getMore: cursor.id, collection: 'big' })).rejects.toMatchObject({ code: 50 });
  });

  it('leaves what it was about to change as it was', async () => {
    const [found] = await db
      .collection('big')
      .aggregate([{ $project: { a: { $size: '$a' }, d: { $size: '$d' }, z: '$z' } }])
      .toArray();
    expect(found).toEqual({ _id: 1, a: MANY, d: MANY });
    expect(await db.collection('many').countDocuments()).toBe(10_000);
    for (const name of ['indexed', 'collated', 'ruled', 'texts']) {
      expect([name, await db.collection(name).countDocuments()]).toEqual([name, 0]);
      expect(await db.command({ validate: name })).toMatchObject({ valid: true });
    }
  });
});

describe('in as much time as it is long', () => {
  const values = list(MANY, (i) => ({ x: -i }));

  it.each<[string, object, object]>([
    ['$addToSet', { $addToSet: { d: { $each: values } } }, { d: 2 * MANY - 1 }],
    ['$pullAll', { $pullAll: { d: list(MANY, (x) => ({ x })) } }, { d: MANY - 1 }],
    ['$push', { $push: { d: { $each: list(MANY, (x) => ({ x })), $position: 1 } } }, { d: 2 * MANY - 1 }],
    ['$set of new fields', { $set: fields(MANY, (i) => [`f${i}.g`, 1]) }, { d: 2 * MANY - 1 }],
  ])('values are taken to an array or out of it: %s', async (_title, change, sizes) => {
    const copies = db.collection<Numbered>('copies');
    if (!(await copies.countDocuments())) await db.collection('big').aggregate([{ $project: { d: 1 } }, { $out: 'copies' }]).toArray(); // prettier-ignore
    await copies.updateOne({ _id: 1 }, change);
    const [found] = await copies.aggregate([{ $project: { _id: 0, d: { $size: '$d' } } }]).toArray();
    expect(found).toEqual(sizes);
  });

  it('a ring of many corners is seen to be one', async () => {
    const geometry = { type: 'Polygon', coordinates: [ring(MANY)] };
    const filter = { p: { $geoWithin: { $geometry: geometry } } };
    await db.collection<Numbered>('places').insertOne({ _id: 1, p: { type: 'Point', coordinates: [1, 2] } });
    expect(await db.collection('places').countDocuments(filter)).toBe(1);
  });

  it('the fields of an upsert are seen to be different ones', async () => {
    const filter = fields(MANY, (i) => [`f${i}`, 1]);
    const { upsertedCount } = await db.collection('upserts').updateOne(filter, { $set: { z: 1 } }, { upsert: true });
    expect(upsertedCount).toBe(1);
  });
});
