import { describe, expect, test } from '@jest/globals';
import { Binary, BSONRegExp, Decimal128, type Document, Double, Long, MaxKey, MinKey, ObjectId } from 'bson';
import { parseCollation } from '../../../src/bson/collation.js';
import { plainEnv } from '../../../src/query/env.js';
import { compileFilter } from '../../../src/query/filter.js';
import { doc } from '../../support/docs.js';

const matches = (filter: Document, document: Document): boolean =>
  compileFilter(doc(filter), plainEnv())(doc(document));
const decimal = (text: string) => new Decimal128(text);
const id = new ObjectId();

/** Filter, documents that match it, documents that do not. */
const CASES: [title: string, filter: Document, yes: Document[], no: Document[]][] = [
  ['_id by value', { _id: id }, [{ _id: id }], [{ _id: new ObjectId() }, {}]],
  [
    'numbers across types',
    { a: 1 },
    [{ a: new Double(1) }, { a: Long.fromNumber(1) }, { a: decimal('1.0') }],
    [{ a: '1' }, { a: true }],
  ],
  [
    'large integers exactly',
    { a: Long.fromBigInt(9007199254740993n) },
    [{ a: decimal('9007199254740993') }],
    [{ a: 9007199254740992 }],
  ],
  ['NaN equals NaN only', { a: NaN }, [{ a: NaN }, { a: decimal('NaN') }], [{ a: 0 }]],
  ['NaN is not less than a number', { a: { $lt: 1 } }, [{ a: 0 }], [{ a: NaN }, { a: 'x' }, {}, { a: null }]],
  ['null finds null and missing', { a: null }, [{}, { a: null }, { a: [1, null] }], [{ a: 0 }, { a: [] }]],
  [
    'null in a dotted path',
    { 'a.b': null },
    [{}, { a: 1 }, { a: {} }, { a: [{}] }, { a: [1, { b: null }] }],
    [{ a: [] }, { a: [1, 2] }, { a: { b: 1 } }],
  ],
  ['$exists true', { a: { $exists: true } }, [{ a: null }, { a: [] }], [{}]],
  ['$exists false', { 'a.b': { $exists: false } }, [{}, { a: [] }, { a: [1] }], [{ a: [{ b: 1 }] }]],
  ['an element of an array', { a: 2 }, [{ a: [1, 2] }], [{ a: [[2]] }]],
  ['a whole array', { a: [1, 2] }, [{ a: [1, 2] }, { a: [[1, 2], 3] }], [{ a: [2, 1] }, { a: [1, 2, 3] }]],
  [
    'a whole document, in its order',
    { a: { x: 1, y: 2 } },
    [{ a: { x: 1, y: 2 } }],
    [{ a: { y: 2, x: 1 } }, { a: { x: 1 } }],
  ],
  ['an array index', { 'a.1': 5 }, [{ a: [0, 5] }, { a: { 1: 5 } }, { a: [{ 1: 5 }] }], [{ a: [5, 0] }]],
  ['a field below an array index', { 'a.0.b': 5 }, [{ a: [{ b: 5 }] }, { a: [{ b: [5] }] }], [{ a: [{}, { b: 5 }] }]],
  [
    'fields of documents in arrays',
    { 'a.b.c': 1 },
    [{ a: [{ b: [{ c: 1 }] }] }, { a: { b: { c: [1] } } }],
    [{ a: [[{ b: { c: 1 } }]] }],
  ],
  [
    '$gt within the type only',
    { a: { $gt: 1 } },
    [{ a: 2 }, { a: Long.fromNumber(2) }, { a: [0, 2] }],
    [{ a: 1 }, { a: '2' }, { a: new Date() }],
  ],
  ['$gte null', { a: { $gte: null } }, [{}, { a: null }], [{ a: 1 }]],
  ['$lt MaxKey finds all types', { a: { $lt: new MaxKey() } }, [{ a: 1 }, { a: 'x' }, {}], [{ a: new MaxKey() }]],
  ['$gte MinKey', { a: { $gte: new MinKey() } }, [{ a: new MinKey() }, { a: 1 }], []],
  ['two conditions may hold of different elements', { a: { $gt: 5, $lt: 3 } }, [{ a: [1, 9] }], [{ a: [4] }]],
  ['$ne means no element equals', { a: { $ne: 1 } }, [{}, { a: [2] }], [{ a: [2, 1] }, { a: 1 }]],
  [
    '$in with a pattern and null',
    { a: { $in: [/^x/, null, 3] } },
    [{ a: 'xy' }, {}, { a: [3] }, { a: null }],
    [{ a: 'yx' }, { a: 4 }],
  ],
  [
    '$in with many values',
    { a: { $in: [9, 'b', 3, [1], { x: 1 }, id] } },
    [{ a: 3 }, { a: 'b' }, { a: [1] }, { a: [[1]] }, { a: { x: 1 } }, { a: id }],
    [{ a: 1 }, { a: 'c' }],
  ],
  ['$in of nothing', { a: { $in: [] } }, [], [{}, { a: [] }]],
  ['$nin', { a: { $nin: [1, null] } }, [{ a: 2 }, { a: [] }], [{}, { a: [1] }]],
  ['$not', { a: { $not: { $gt: 1 } } }, [{}, { a: 1 }, { a: 'x' }], [{ a: [0, 2] }]],
  ['$not with a pattern', { a: { $not: /b/ } }, [{ a: 'a' }, {}], [{ a: 'abc' }]],
  ['$nor', { $nor: [{ a: 1 }, { b: 1 }] }, [{}], [{ a: 1 }, { b: 1 }]],
  ['$or', { $or: [{ a: 1 }, { b: 1 }] }, [{ a: 1 }, { b: 1 }], [{}]],
  ['$size', { a: { $size: 2 } }, [{ a: [1, [2]] }], [{ a: [1] }, { a: 2 }, {}]],
  ['$all', { a: { $all: [1, /x/] } }, [{ a: ['x', 1] }], [{ a: [1] }]],
  ['$all of a whole array', { a: { $all: [[1, 2]] } }, [{ a: [1, 2] }, { a: [[1, 2]] }], [{ a: [1] }]],
  ['$all of one scalar', { a: { $all: [1] } }, [{ a: 1 }], [{ a: 2 }]],
  ['$all of nothing', { a: { $all: [] } }, [], [{ a: [] }, {}]],
  [
    '$all with $elemMatch',
    { a: { $all: [{ $elemMatch: { x: 1 } }, { $elemMatch: { x: 2 } }] } },
    [{ a: [{ x: 1 }, { x: 2 }] }],
    [{ a: [{ x: 1 }] }],
  ],
  ['$elemMatch of one element', { a: { $elemMatch: { $gt: 1, $lt: 4 } } }, [{ a: [9, 2] }], [{ a: [1, 9] }, { a: 2 }]],
  [
    '$elemMatch of one document',
    { a: { $elemMatch: { x: 1, y: 2 } } },
    [{ a: [{ x: 1, y: 2 }] }],
    [{ a: [{ x: 1 }, { y: 2 }] }, { a: { x: 1, y: 2 } }],
  ],
  [
    '$elemMatch with $or',
    { a: { $elemMatch: { $or: [{ x: 1 }, { y: 1 }] } } },
    [{ a: [{ y: 1 }] }],
    [{ a: [{ z: 1 }] }],
  ],
  [
    '$elemMatch with $not and $ne',
    { a: { $elemMatch: { $not: { $gt: 3 }, $ne: 2 } } },
    [{ a: [5, 1] }],
    [{ a: [5, 2] }, { a: [] }],
  ],
  ['$elemMatch in an array of arrays', { a: { $elemMatch: { $elemMatch: { $eq: 1 } } } }, [{ a: [[1]] }], [{ a: [1] }]],
  [
    '$elemMatch through an outer array',
    { 'a.b': { $elemMatch: { c: 1 } } },
    [{ a: [{ b: [{ c: 1 }] }] }],
    [{ a: [{ b: { c: 1 } }] }],
  ],
  [
    '$mod',
    { a: { $mod: [4, 0] } },
    [{ a: 8 }, { a: 8.9 }, { a: decimal('12') }, { a: [1, 4] }],
    [{ a: 9 }, { a: '8' }, { a: Infinity }],
  ],
  ['$mod of negative numbers', { a: { $mod: [4, -1] } }, [{ a: -5 }], [{ a: 3 }]],
  ['$type by name', { a: { $type: 'number' } }, [{ a: 1 }, { a: decimal('1') }, { a: ['x', 2] }], [{ a: 'x' }, {}]],
  ['$type array', { a: { $type: 'array' } }, [{ a: [] }, { a: [1] }], [{ a: 1 }]],
  ['$type by several numbers', { a: { $type: [2, -1] } }, [{ a: '' }, { a: new MinKey() }], [{ a: 1 }]],
  [
    '$regex with options apart',
    { a: { $options: 'i', $regex: '^AB' } },
    [{ a: 'abc' }, { a: ['xx', 'aB'] }],
    [{ a: 'cab' }],
  ],
  [
    '$regex finds that same pattern stored',
    { a: /x/i },
    [{ a: new BSONRegExp('x', 'i') }],
    [{ a: new BSONRegExp('x', '') }],
  ],
  ['$regex in extended syntax', { a: { $regex: 'a b # remark\n c', $options: 'x' } }, [{ a: 'abc' }], [{ a: 'a bc' }]],
  ['$regex with inline options', { a: { $regex: '(?i)AB' } }, [{ a: 'ab' }], []],
  ['$regex of one line', { a: { $regex: '^b$', $options: 'm' } }, [{ a: 'a\nb\nc' }], [{ a: 'ab' }]],
  ['$regex dot and newline', { a: { $regex: 'a.b', $options: 's' } }, [{ a: 'a\nb' }], []],
  [
    '$regex with PCRE syntax',
    { a: { $regex: '\\A[[:alpha:]_\\-]+\\z' } },
    [{ a: 'ab-_' }],
    [{ a: 'a1' }, { a: 'a\n' }],
  ],
  [
    '$bitsAllSet',
    { a: { $bitsAllSet: [1, 5] } },
    [{ a: 34 }, { a: new Binary(new Uint8Array([34])) }, { a: -1 }],
    [{ a: 2 }, { a: 34.5 }, { a: 'x' }],
  ],
  ['$bitsAnyClear by mask', { a: { $bitsAnyClear: 3 } }, [{ a: 2 }], [{ a: 7 }]],
  ['$bitsAllClear past 64 bits', { a: { $bitsAllClear: [100] } }, [{ a: 5 }], [{ a: -5 }]],
  ['$bitsAnySet of a binary', { a: { $bitsAnySet: new Binary(new Uint8Array([0, 1])) } }, [{ a: 256 }], [{ a: 255 }]],
  ['a reference is a value', { a: { $ref: 'c', $id: 1 } }, [{ a: { $ref: 'c', $id: 1 } }], [{ a: 1 }]],
  ['$comment demands nothing', { $comment: 'x' }, [{}], []],
  ['$expr', { $expr: { $gt: ['$a', '$b'] } }, [{ a: 2, b: 1 }, { a: 1 }], [{ a: 1, b: 2 }, {}]],
  ['an empty filter', {}, [{}, { a: 1 }], []],
  [
    '$geoWithin a box',
    {
      a: {
        $geoWithin: {
          $box: [
            [0, 0],
            [2, 2],
          ],
        },
      },
    },
    [{ a: [1, 1] }, { a: { type: 'Point', coordinates: [2, 0] } }],
    [{ a: [3, 1] }, {}],
  ],
  [
    "$geoWithin a sphere's circle",
    { a: { $geoWithin: { $centerSphere: [[2.35, 48.85], 10 / 6378.1] } } },
    [{ a: [2.36, 48.86] }],
    [{ a: [2.35, 49.85] }],
  ],
];

describe('compileFilter', () => {
  test.each(CASES)('%s', (_title, filter, yes, no) => {
    for (const document of yes) expect([document, matches(filter, document)]).toEqual([document, true]);
    for (const document of no) expect([document, matches(filter, document)]).toEqual([document, false]);
  });

  test.each<[Document, number, string]>([
    [{ $foo: 1 }, 2, 'unknown top level operator: $foo'],
    [{ a: { $foo: 1 } }, 2, 'unknown operator: $foo'],
    [{ $or: [] }, 2, '$and/$or/$nor must be a nonempty array'],
    [{ $or: {} }, 2, '$or must be an array'],
    [{ $and: [1] }, 2, '$or/$and/$nor entries need to be full objects'],
    [{ a: { $in: 1 } }, 2, '$in needs an array'],
    [{ a: { $in: [{ $gt: 1 }] } }, 2, 'cannot nest $ under $in'],
    [{ a: { $gt: /x/ } }, 2, "Can't have RegEx as arg to predicate over field 'a'."],
    [{ a: { $ne: /x/ } }, 2, "Can't have regex as arg to $ne."],
    [{ a: { $not: 1 } }, 2, '$not needs a regex or a document'],
    [{ a: { $not: {} } }, 2, '$not cannot be empty'],
    [{ a: { $mod: [0, 1] } }, 2, 'divisor cannot be 0'],
    [{ a: { $mod: [1] } }, 2, 'malformed mod, not enough elements'],
    [{ a: { $regex: 1 } }, 2, '$regex has to be a string'],
    [{ a: { $regex: '(' } }, 51091, 'Regular expression is invalid'],
    [{ a: { $regex: 'a', $options: 'z' } }, 51108, 'invalid flag in regex options: z'],
    [{ a: { $options: 'i' } }, 2, '$options needs a $regex'],
    [{ a: { $type: 'foo' } }, 2, 'Unknown type name alias: foo'],
    [{ a: { $size: -1 } }, 2, 'Failed to parse $size. Expected a non-negative number in: $size: -1'],
    [{ a: { $elemMatch: 1 } }, 2, '$elemMatch needs an Object'],
    [{ a: { $all: [{ $elemMatch: {} }, 1] } }, 2, '$all/$elemMatch has to be consistent'],
    [{ a: { $near: 'here' } }, 2, 'Point must be an array or object, instead got type string'],
    [{ $text: { $search: 'x' } }, 27, 'text index required for $text query'],
    [{ a: { $elemMatch: { $expr: true } } }, 2, '$expr can only be applied to the top-level document'],
    [{ a: { $where: '1' } }, 2, '$where cannot be applied to a field'],
    [
      { $jsonSchema: { enum: [1, { x: 1, y: 2 }, { y: 2, x: 1 }] } },
      9,
      "$jsonSchema keyword 'enum' array cannot contain duplicate values.",
    ],
    [{ $jsonSchema: { foo: 1 } }, 9, 'Unknown $jsonSchema keyword: foo'],
  ])('refuses %j', (filter, code, message) => {
    expect(() => compileFilter(doc(filter), plainEnv())).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  test.each<[Document, Document, number]>([
    [{ a: 3 }, { a: [1, 2, 3] }, 2],
    [{ 'a.b': 2 }, { a: [{ b: 1 }, { b: 2 }] }, 1],
    [{ 'a.b': 2 }, { a: [{ b: [0] }, { b: [1, 2] }] }, 1],
    [{ a: { $elemMatch: { b: 2 } } }, { a: [{ b: 1 }, { b: 2 }] }, 1],
    [{ 'a.b': { $elemMatch: { $eq: 2 } } }, { a: [{ b: [1] }, { b: [1, 2] }] }, 1],
    [{ 'a.0.b': 2 }, { a: [{ b: [1, 2] }] }, 1],
    [{ x: 1, a: { $in: [3] } }, { x: 1, a: [1, 3] }, 1],
    [{ a: 1 }, { a: 1 }, -1],
    [{ $or: [{ a: 2 }, { a: 3 }] }, { a: [1, 3] }, 1],
    [{ $or: [{ a: 3 }, { b: 3 }] }, { a: [1, 3] }, -1],
  ])('%j tells which element of %j matched', (filter, document, index) => {
    const details = { index: -1 };
    expect(compileFilter(doc(filter), plainEnv())(doc(document), details)).toBe(true);
    expect(details.index).toBe(index);
  });

  test('compares strings by the collation, in equality, ranges and $in', () => {
    const collation = parseCollation(doc({ locale: 'en', strength: 2 }));
    const matchesCollated = (filter: Document, document: Document) =>
      compileFilter(doc(filter), { ...plainEnv(), collation })(doc(document));
    expect(matchesCollated({ a: 'ABC' }, { a: 'abc' })).toBe(true);
    expect(matchesCollated({ a: { $in: ['x', 'ABC'] } }, { a: ['abc'] })).toBe(true);
    expect(matchesCollated({ a: { $gt: 'B' } }, { a: 'a' })).toBe(false);
    expect(matchesCollated({ a: 'abd' }, { a: 'abc' })).toBe(false);
  });
});

describe('$jsonSchema', () => {
  const person = {
    bsonType: 'object',
    required: ['name'],
    properties: {
      name: { bsonType: 'string', minLength: 2, maxLength: 5, pattern: '^[A-Z]' },
      age: { bsonType: ['int', 'null'], minimum: 0, exclusiveMinimum: true, maximum: 150, multipleOf: 2 },
      tags: { type: 'array', uniqueItems: true, maxItems: 3, items: { enum: ['a', 'b', 'c'] } },
      pair: { items: [{ type: 'number' }], additionalItems: false },
    },
    patternProperties: { '^x': { type: 'boolean' } },
    additionalProperties: false,
    dependencies: { age: ['name'], pair: { required: ['tags'] } },
    maxProperties: 4,
  };
  test.each<[Document, boolean]>([
    [{ name: 'Ann' }, true],
    [{ name: 'Ann', age: 2 }, true],
    [{ name: 'Ann', age: null, xq: true }, true],
    [{ name: 'Ann', tags: ['a', 'b'], pair: [1] }, true],
    [{}, false],
    [{ name: 'A' }, false],
    [{ name: 'Annabella' }, false],
    [{ name: 'ann' }, false],
    [{ name: 'Ann', age: 0 }, false],
    [{ name: 'Ann', age: 3 }, false],
    [{ name: 'Ann', age: 2.5 }, false],
    [{ name: 'Ann', age: 152 }, false],
    [{ name: 'Ann', tags: ['a', 'a'] }, false],
    [{ name: 'Ann', tags: ['z'] }, false],
    [{ name: 'Ann', pair: [1] }, false],
    [{ name: 'Ann', tags: [], pair: [1, 2] }, false],
    [{ name: 'Ann', xq: 1 }, false],
    [{ name: 'Ann', other: 1 }, false],
    [{ name: 'Ann', xa: true, xb: true, xc: true, xd: true }, false],
  ])('%j: %s', (document, expected) => {
    expect(matches({ $jsonSchema: person }, document)).toBe(expected);
  });

  test('takes items for the same whatever the order of their fields', () => {
    const schema = { properties: { a: { uniqueItems: true } } };
    expect(
      matches(
        { $jsonSchema: schema },
        {
          a: [
            { x: 1, y: [{ v: 1, w: 2 }] },
            { y: [{ w: 2, v: 1 }], x: 1 },
          ],
        },
      ),
    ).toBe(false);
    expect(
      matches(
        { $jsonSchema: schema },
        {
          a: [
            { x: 1, y: 2 },
            { x: 2, y: 1 },
          ],
        },
      ),
    ).toBe(true);
    expect(matches({ $jsonSchema: { properties: { a: { maximum: 2 } } } }, { a: NaN })).toBe(false);
    const one = { properties: { a: { enum: [{ x: 1, y: 2 }] } } };
    expect(matches({ $jsonSchema: one }, { a: { y: 2, x: 1 } })).toBe(true);
    expect(matches({ $jsonSchema: one }, { a: { y: 1, x: 2 } })).toBe(false);
  });

  test('combines schemas with allOf, anyOf, oneOf and not', () => {
    const schema = {
      properties: {
        a: { allOf: [{ minimum: 1 }, { maximum: 9 }] },
        b: { anyOf: [{ type: 'string' }, { minimum: 5 }] },
        c: { oneOf: [{ minimum: 1 }, { maximum: 5 }] },
        d: { not: { type: 'null' } },
      },
    };
    for (const good of [{ a: 5 }, { b: 'x' }, { b: 6 }, { c: 9 }, { c: 0 }, { d: 1 }]) {
      expect([good, matches({ $jsonSchema: schema }, good)]).toEqual([good, true]);
    }
    for (const bad of [{ a: 0 }, { a: 10 }, { b: 4 }, { c: 3 }, { d: null }]) {
      expect([bad, matches({ $jsonSchema: schema }, bad)]).toEqual([bad, false]);
    }
  });
});
