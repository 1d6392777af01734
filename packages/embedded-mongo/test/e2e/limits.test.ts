import { beforeAll, describe, expect, it } from '@jest/globals';
import mongoose, { type mongo } from 'mongoose';
import { useOwnServer } from '../support/connected.js';

let client: mongo.MongoClient;
let db: mongo.Db;

useOwnServer(async (connected) => {
  client = connected;
  db = client.db('limits');
  await db.collection<{ _id: number }>('one').insertOne({ _id: 1 });
});

const range = (n: number): object => ({ $range: [0, n] });
const twice = (value: unknown): object => ({ $concatArrays: [value, value] });

describe('memory', () => {
  it.each<[string, unknown]>([
    ['a range of all there is', range(2_147_483_647)],
    ['ranges of what a document has', { $range: ['$_id', 2_147_483_647] }],
  ])("an expression ends with MongoDB's error: %s", async (_title, value) => {
    const found = db.collection('one').aggregate([{ $project: { value: { $size: value } } }]);
    await expect(found.toArray()).rejects.toMatchObject({ code: 146, codeName: 'ExceededMemoryLimit' });
  });

  it.each(['$push', '$addToSet'])("%s ends with MongoDB's error", async (accumulator) => {
    const stages = [
      { $project: { n: range(4000), text: { $reduce: { input: range(15), initialValue: 'x', in: { $concat: ['$$value', '$$value'] } } } } }, // prettier-ignore
      { $unwind: '$n' },
      { $group: { _id: null, all: { [accumulator]: '$$ROOT' } } },
    ];
    await expect(db.collection('one').aggregate(stages).toArray()).rejects.toMatchObject({ code: 146 });
  });

  it("a text that doubles ends with MongoDB's error", async () => {
    const text = { $reduce: { input: range(60), initialValue: 'x', in: { $concat: ['$$value', '$$value'] } } };
    const lengthOf = (value: object): Promise<unknown> =>
      db.collection('one').aggregate([{ $project: { n: { $strLenCP: value } } }]).toArray(); // prettier-ignore
    await expect(lengthOf(text)).rejects.toMatchObject({ code: 13548 });
    const long = { $reduce: { input: range(20), initialValue: 'x', in: { $concat: ['$$value', '$$value'] } } };
    await expect(lengthOf({ $replaceAll: { input: long, find: 'x', replacement: long } })).rejects.toMatchObject({ code: 13548 }); // prettier-ignore
    const found = db.collection('one').aggregate([{ $project: { n: { $size: { $regexFindAll: { input: long, regex: '' } } } } }]); // prettier-ignore
    await expect(found.toArray()).rejects.toMatchObject({ code: 51151 });
  });

  it('what is computed step by step and thrown away is no reason', async () => {
    const growing = {
      $reduce: { input: range(4000), initialValue: [], in: { $concatArrays: ['$$value', ['$$this']] } },
    };
    const found = await db.collection('one').aggregate([{ $project: { n: { $size: growing } } }]).toArray(); // prettier-ignore
    expect(found).toEqual([{ _id: 1, n: 4000 }]);
  });
});

/** A hundred megabytes take their time; .ci/run sets POLYMONGO_LONG. */
const long = process.env['POLYMONGO_LONG'] ? describe : describe.skip;

long('memory, filled little by little', () => {
  it.each<[string, unknown]>([
    [
      'nested $map',
      { $map: { input: range(900), in: { $map: { input: range(900), in: { $range: ['$_id', 900] } } } } },
    ],
    ['an array that doubles', { $reduce: { input: range(40), initialValue: [1], in: twice('$$value') } }],
    ['$zip', { $zip: { inputs: Array.from({ length: 500 }, (_, i) => (i ? [] : range(1_000_000))), useLongestLength: true, defaults: Array.from({ length: 500 }, () => 0) } }], // prettier-ignore
  ])(
    "an expression ends with MongoDB's error: %s",
    async (_title, value) => {
      const found = db.collection('one').aggregate([{ $project: { value: { $size: value } } }]);
      await expect(found.toArray()).rejects.toMatchObject({ code: 146, codeName: 'ExceededMemoryLimit' });
    },
    300_000,
  );

  it('a document that holds itself many times ends with an error', async () => {
    const doubling = Array.from({ length: 60 }, () => ({ $project: { a: '$$ROOT', b: '$$ROOT' } }));
    await expect(db.collection('one').aggregate(doubling).toArray()).rejects.toMatchObject({
      code: expect.any(Number),
    });
  });

  it.each<[string, object]>([
    ['objects that hold one twice', { $eq: Array.from({ length: 2 }, () => ({ $reduce: { input: range(40), initialValue: '$_id', in: { a: '$$value', b: '$$value' } } })) }], // prettier-ignore
    ['arrays that hold one twice', { $eq: Array.from({ length: 2 }, () => ({ $reduce: { input: range(40), initialValue: ['$_id'], in: ['$$value', '$$value'] } })) }], // prettier-ignore
    ['a set of what holds one twice', { $setUnion: [[{ $reduce: { input: range(40), initialValue: '$_id', in: { a: '$$value', b: '$$value' } } }]] }], // prettier-ignore
  ])('an expression ends with an error that goes over a value many times: %s', async (_title, value) => {
    const found = db.collection('one').aggregate([{ $project: { value } }]);
    await expect(found.toArray()).rejects.toMatchObject({ code: 146 });
  });

  it("a window that grows ends with MongoDB's error", async () => {
    const stages = [
      { $project: { n: range(20_000) } },
      { $unwind: '$n' },
      { $setWindowFields: { sortBy: { n: 1 }, output: { all: { $push: '$n', window: { documents: ['unbounded', 'current'] } } } } }, // prettier-ignore
    ];
    await expect(db.collection('one').aggregate(stages).toArray()).rejects.toMatchObject({ code: 146 });
  });
});

describe('maxTimeMS', () => {
  const text = `${'a'.repeat(60)}!`;
  const patterns = ['^(a+)+$', '^(a|aa)+$', '^(a|a)*$', '^(.*a){20}$', '^(([a-z])+.)+[A-Z]$', '(?=(a+)+$)b'];

  beforeAll(async () => {
    await db.collection('texts').insertOne({ text, many: Array.from({ length: 3 }, () => text) });
  });

  it.each<[string, (pattern: string) => object]>([
    ['$regex', (pattern) => ({ find: 'texts', filter: { text: { $regex: pattern } } })],
    ['a regular expression', (pattern) => ({ find: 'texts', filter: { text: new mongoose.mongo.BSONRegExp(pattern, 'i') } })], // prettier-ignore
    ['$not', (pattern) => ({ find: 'texts', filter: { text: { $not: { $regex: pattern } } } })],
    ['$in', (pattern) => ({ find: 'texts', filter: { text: { $in: [new mongoose.mongo.BSONRegExp(pattern)] } } })],
    ['$all', (pattern) => ({ find: 'texts', filter: { many: { $all: [new mongoose.mongo.BSONRegExp(pattern)] } } })],
    ['$elemMatch', (pattern) => ({ find: 'texts', filter: { many: { $elemMatch: { $regex: pattern } } } })],
    ['$jsonSchema', (pattern) => ({ find: 'texts', filter: { $jsonSchema: { properties: { text: { pattern } } } } })],
    ['a count', (pattern) => ({ count: 'texts', query: { text: { $regex: pattern } } })],
    ['a delete', (pattern) => ({ delete: 'texts', deletes: [{ q: { text: { $regex: pattern } }, limit: 0 }] })],
    ['$regexMatch', (pattern) => ({ find: 'texts', filter: { $expr: { $regexMatch: { input: '$text', regex: pattern } } } })], // prettier-ignore
    ['$regexFindAll', (pattern) => ({ find: 'texts', projection: { a: { $regexFindAll: { input: '$text', regex: pattern } } } })], // prettier-ignore
  ])('ends a search that backtracks for ever: %s', async (_title, commandOf) => {
    for (const pattern of patterns) {
      const began = performance.now();
      const answer = await db.command({ ...commandOf(pattern), maxTimeMS: 60 }).catch((error: unknown) => error);
      if (answer instanceof Error || !('writeErrors' in (answer as object))) {
        expect([pattern, answer]).toEqual([pattern, expect.objectContaining({ code: 50 })]);
      }
      expect(performance.now() - began).toBeLessThan(5000);
    }
  });

  it('ends scripts', async () => {
    const forever = 'function () { while (true); }';
    const job = { map: forever, reduce: forever, out: { inline: 1 } };
    const expression = { $function: { body: forever, args: [], lang: 'js' } };
    for (const command of [
      { find: 'texts', filter: { $where: forever } },
      { find: 'texts', projection: { a: expression } },
      { aggregate: 'texts', pipeline: [{ $group: { _id: null, a: { $accumulator: { init: forever, accumulate: forever, accumulateArgs: [], merge: forever, lang: 'js' } } } }], cursor: {} }, // prettier-ignore
      { mapReduce: 'texts', ...job },
    ]) {
      await expect(db.command({ ...command, maxTimeMS: 60 })).rejects.toMatchObject({ code: 50 });
    }
  });

  const doubled = (n: number): object => ({ $reduce: { input: range(n), initialValue: 'a', in: { $concat: ['$$value', '$$value'] } } }); // prettier-ignore
  const each = (body: object, big: object): object =>
    ({ $let: { vars: { big }, in: { $map: { input: range(100_000), in: body } } } }); // prettier-ignore

  it.each<[string, object]>([
    ['$replaceAll', { $reduce: { input: range(40), initialValue: 'aa', in: { $replaceAll: { input: '$$value', find: 'a', replacement: 'aa' } } } }], // prettier-ignore
    ['$replaceAll of nothing', { $reduce: { input: range(40), initialValue: 'aa', in: { $replaceAll: { input: '$$value', find: '', replacement: 'a' } } } }], // prettier-ignore
    ['$zip', { $zip: { inputs: [range(3_000_000), range(3_000_000), range(3_000_000)] } }],
    ['$setUnion', { $setUnion: [{ $map: { input: range(1_000_000), in: { $add: ['$$this', 1] } } }, range(1_000_000)] }], // prettier-ignore
    ['$setIntersection', { $setIntersection: [range(3_000_000), range(3_000_000)] }],
    ['$setDifference', { $setDifference: [range(3_000_000), range(3_000_000)] }],
    ['$concatArrays', { $reduce: { input: range(40), initialValue: [1], in: twice('$$value') } }],
    ['$mergeObjects', { $reduce: { input: range(100_000), initialValue: {}, in: { $mergeObjects: ['$$value', { $arrayToObject: [[[{ $toString: '$$this' }, 1]]] }] } } }], // prettier-ignore
    ['$split', { $size: { $split: [doubled(25), 'a'] } }],
    ['$in', each({ $in: [-1, '$$big'] }, range(1_000_000))],
    ['$filter', each({ $size: { $filter: { input: '$$big', cond: false } } }, range(1_000_000))],
    ['$sortArray', each({ $size: { $sortArray: { input: '$$big', sortBy: -1 } } }, range(1_000_000))],
    ['$max', each({ $max: '$$big' }, range(1_000_000))],
    ['$maxN', each({ $maxN: { input: '$$big', n: 5 } }, range(1_000_000))],
    ['$strLenCP', each({ $strLenCP: '$$big' }, doubled(24))],
    ['$indexOfCP', each({ $indexOfCP: ['$$big', 'b'] }, doubled(24))],
    ['$indexOfBytes', each({ $indexOfBytes: ['$$big', 'b'] }, doubled(24))],
    ['a search for what is nearly everywhere', each({ $indexOfCP: ['$$big', { $concat: ['b', doubled(20)] }] }, doubled(22))], // prettier-ignore
    ['$toUpper', each({ $strLenBytes: { $toUpper: '$$big' } }, doubled(24))],
    ['$toHashedIndexKey', each({ $toHashedIndexKey: '$$big' }, doubled(24))],
    ['$bsonSize', each({ $bsonSize: { a: '$$big' } }, range(1_000_000))],
  ])('ends an expression that computes for long, unless memory does: %s', async (_title, value) => {
    const began = performance.now();
    const found = db.collection('one').aggregate([{ $project: { value } }], { maxTimeMS: 200 });
    const { code } = (await found.toArray().catch((error: unknown) => error)) as { code?: number };
    expect([50, 146]).toContain(code);
    expect(performance.now() - began).toBeLessThan(3000);
  });

  it('ends a pipeline that makes many documents of one', async () => {
    const stages = [{ $project: { n: { $range: [0, 3_000_000] } } }, { $unwind: '$n' }, { $group: { _id: null, n: { $sum: '$n' } } }]; // prettier-ignore
    const found = db.collection('one').aggregate(stages, { maxTimeMS: 300 });
    await expect(found.toArray()).rejects.toMatchObject({ code: 50 });
  });
});
