import { describe, expect, test } from '@jest/globals';
import { Decimal128, type Document, Double, Int32, Long } from 'bson';
import { plainEnv } from '../../../src/query/env.js';
import { compileFilter } from '../../../src/query/filter.js';
import { compileUpdate, diffDocuments, upsertDocument } from '../../../src/query/update.js';
import { doc, hexOf } from '../../support/docs.js';

const update = (before: Document, change: Document, arrayFilters: Document[] = [], query: Document = {}) => {
  const details = { index: -1 };
  compileFilter(doc(query), plainEnv())(doc(before), details);
  const compiled = compileUpdate(doc(change), plainEnv(), { arrayFilters: arrayFilters.map(doc) });
  return compiled.apply(doc(before), { matchedIndex: details.index });
};

const CASES: [
  title: string,
  before: Document,
  change: Document,
  after: Document,
  filters?: Document[],
  query?: Document,
][] = [
  [
    '$set of new and old fields, new ones in the order of their names',
    { b: 1 },
    { $set: { z: 1, b: 2, a: 3 } },
    { b: 2, a: 3, z: 1 },
  ],
  ['$set makes the documents on its path', {}, { $set: { 'a.b.c': 1, 'a.b.d': 2 } }, { a: { b: { c: 1, d: 2 } } }],
  ['$set pads an array with null', { a: [1] }, { $set: { 'a.3': 4 } }, { a: [1, null, null, 4] }],
  ['$set changes the type of an equal number', { a: 1 }, { $set: { a: new Double(1) } }, { a: new Double(1) }],
  ['$set makes a document in an array', { a: [] }, { $set: { 'a.0.x': 1 } }, { a: [{ x: 1 }] }],
  ['numeric names in a missing document are names', {}, { $set: { 'a.0': 1 } }, { a: { 0: 1 } }],
  ['$unset', { a: 1, b: { c: 1, d: 2 } }, { $unset: { a: '', 'b.c': 1, 'x.y': 1 } }, { b: { d: 2 } }],
  ['$unset leaves null in an array', { a: [1, 2] }, { $unset: { 'a.0': 1 } }, { a: [null, 2] }],
  [
    '$inc keeps and widens types',
    { a: 1, b: 2147483647, c: Long.fromNumber(1), d: 1 },
    { $inc: { a: 1, b: 1, c: 1, d: 0.5, e: 5 } },
    { a: 2, b: Long.fromNumber(2147483648), c: Long.fromNumber(2), d: 1.5, e: 5 },
  ],
  [
    '$inc of a decimal',
    { a: new Decimal128('0.1') },
    { $inc: { a: new Decimal128('0.2') } },
    { a: new Decimal128('0.3') },
  ],
  [
    "$mul, zero of the operand's type where missing",
    { a: 3 },
    { $mul: { a: 2.5, b: Long.fromNumber(5) } },
    { a: 7.5, b: Long.fromNumber(0) },
  ],
  [
    '$min and $max, in the order of types',
    { a: 5, b: 5, c: 'x' },
    { $min: { a: 3, d: 1, c: 9 }, $max: { b: 7 } },
    { a: 3, b: 7, c: 9, d: 1 },
  ],
  [
    '$bit',
    { a: 13, b: 13 },
    { $bit: { a: { and: 10 }, b: { xor: Long.fromNumber(5) }, c: { or: 3 } } },
    { a: 8, b: Long.fromNumber(8), c: 3 },
  ],
  ['$rename moves a field to the end', { a: 1, b: 2 }, { $rename: { a: 'c', x: 'y' } }, { b: 2, c: 1 }],
  ['$rename into and out of documents', { a: { b: 1 } }, { $rename: { 'a.b': 'x.y' } }, { a: {}, x: { y: 1 } }],
  ['$rename replaces its target', { a: 1, b: 2 }, { $rename: { a: 'b' } }, { b: 1 }],
  ['$push', { a: [1] }, { $push: { a: [2], b: 1 } }, { a: [1, [2]], b: [1] }],
  [
    '$push with $each at a position',
    { a: [1, 2] },
    { $push: { a: { $each: [8, 9], $position: 1 } } },
    { a: [1, 8, 9, 2] },
  ],
  [
    '$push at a position from the end',
    { a: [1, 2] },
    { $push: { a: { $each: [8], $position: -1 } } },
    { a: [1, 8, 2] },
  ],
  [
    '$push with $sort and $slice',
    { a: [{ n: 3 }, { n: 1 }] },
    { $push: { a: { $each: [{ n: 2 }], $sort: { n: -1 }, $slice: 2 } } },
    { a: [{ n: 3 }, { n: 2 }] },
  ],
  ['$push with $slice from the end', { a: [1, 2, 3] }, { $push: { a: { $each: [4], $slice: -2 } } }, { a: [3, 4] }],
  [
    '$addToSet',
    { a: [1, { x: 1 }] },
    { $addToSet: { a: { $each: [new Double(1), { x: 1 }, 2, 2] }, b: 1 } },
    { a: [1, { x: 1 }, 2], b: [1] },
  ],
  ['$pop at either end', { a: [1, 2, 3], b: [1, 2] }, { $pop: { a: 1, b: -1, c: 1 } }, { a: [1, 2], b: [2] }],
  ['$pull a value', { a: [1, new Double(1), 2] }, { $pull: { a: 1 } }, { a: [2] }],
  ['$pull by operators', { a: [1, 5, 9] }, { $pull: { a: { $gte: 5 } } }, { a: [1] }],
  [
    '$pull by a filter of documents',
    { a: [{ x: 1, y: 2 }, { x: 1 }, 7] },
    { $pull: { a: { x: 1, y: { $exists: true } } } },
    { a: [{ x: 1 }, 7] },
  ],
  ['$pull by a pattern', { a: ['ab', 'b'] }, { $pull: { a: /^a/ } }, { a: ['b'] }],
  ['$pull of a whole array', { a: [[1], 1] }, { $pull: { a: [1] } }, { a: [1] }],
  ['$pullAll', { a: [1, 2, 3, 1] }, { $pullAll: { a: [1, 3] } }, { a: [2] }],
  ['positional $', { a: [1, 2, 3] }, { $set: { 'a.$': 9 } }, { a: [1, 9, 3] }, [], { a: 2 }],
  [
    'positional $ in a document',
    { a: [{ n: 1 }, { n: 2 }] },
    { $inc: { 'a.$.n': 5 } },
    { a: [{ n: 1 }, { n: 7 }] },
    [],
    { 'a.n': 2 },
  ],
  ['$[] is every element', { a: [1, 2] }, { $inc: { 'a.$[]': 1 } }, { a: [2, 3] }],
  [
    '$[id] is each that its filter matches',
    { a: [{ n: 1 }, { n: 5 }] },
    { $set: { 'a.$[e].ok': true } },
    { a: [{ n: 1 }, { n: 5, ok: true }] },
    [{ 'e.n': { $gt: 2 } }],
  ],
  [
    'nested array filters',
    { a: [{ b: [1, 2] }, { b: [2] }] },
    { $set: { 'a.$[].b.$[x]': 0 } },
    { a: [{ b: [1, 0] }, { b: [0] }] },
    [{ x: 2 }],
  ],
  [
    'elements that several paths touch in different fields',
    { a: [{ x: 1, y: 1 }] },
    { $set: { 'a.$[].b.x': 2, 'a.$[].c': 3 } },
    { a: [{ x: 1, y: 1, b: { x: 2 }, c: 3 }] },
  ],
  ['a dollar name deep in a value', {}, { $set: { a: { $x: 1 } } }, { a: { $x: 1 } }],
  ['a dollar name deep in a path', { a: { $x: 1 } }, { $set: { 'a.$x': 2 } }, { a: { $x: 2 } }],
];

describe('compileUpdate', () => {
  test.each(CASES)('%s', (_title, before, change, after, ...[filters, query]) => {
    const source = doc(before);
    const result = update(before, change, filters, query);
    expect(hexOf(result.doc)).toBe(hexOf(doc(after)));
    expect(result.isModified).toBe(true);
    expect(hexOf(source)).toBe(hexOf(doc(before)));
  });

  test.each<[Document, Document]>([
    [{ a: 1 }, { $set: { a: 1 } }],
    [{ a: 1 }, { $inc: { a: 0 } }],
    [{ a: 1 }, { $mul: { a: 1 } }],
    [{ a: 1 }, { $min: { a: 2 } }],
    [{ a: 1 }, { $max: { a: new Double(1) } }],
    [{ a: [1] }, { $addToSet: { a: 1 } }],
    [{ a: [1] }, { $pull: { a: 2 } }],
    [{ a: [] }, { $pop: { a: 1 } }],
    [{ a: [] }, { $push: { a: { $each: [] } } }],
    [{ a: 1 }, { $unset: { b: 1, 'a.b': 1 } }],
    [{ a: 1 }, { $setOnInsert: { b: 1, 'a.b': 2 } }],
    [{ a: 1 }, { $rename: { b: 'c' } }],
    [{ a: 1, c: [4] }, { $rename: { b: 'a.d', x: 'c.d' } }],
    [{ a: [1] }, { $set: {} }],
    [{ a: [] }, { $set: { 'a.$[].x': 1 } }],
    [
      { _id: 1, a: 1 },
      { _id: 1, a: 1 },
    ],
  ])('%j is not modified by %j', (before, change) => {
    const source = doc(before);
    const result = compileUpdate(doc(change), plainEnv()).apply(source);
    expect(result.isModified).toBe(false);
    expect(result.doc).toBe(source);
  });

  // Such a replacement is compared before it gets the document's _id, so the server writes it and counts it.
  test('a replacement without _id modifies even a document it does not change', () => {
    const result = compileUpdate(doc({ a: 1 }), plainEnv()).apply(doc({ _id: 1, a: 1 }));
    expect(result.isModified).toBe(true);
    expect(result.doc).toEqual(doc({ _id: 1, a: 1 }));
  });

  test.each<[Document, Document, number, string]>([
    [
      {},
      { $foo: { a: 1 } },
      9,
      'Unknown modifier: $foo. Expected a valid update modifier or pipeline-style update specified as an array',
    ],
    [
      {},
      { $set: 1 },
      9,
      'Modifiers operate on fields but we found type int instead. For example: {$mod: {<field>: ...}} not {$set: 1}',
    ],
    [{}, { $set: { a: 1 }, b: 1 }, 9, 'Unknown modifier: b.'],
    [
      {},
      { a: 1, $set: { a: 1 } },
      52,
      "The dollar ($) prefixed field '$set' in '$set' is not allowed in the context of an update's replacement document.",
    ],
    [{}, { $set: { a: 1 }, $inc: { a: 1 } }, 40, "Updating the path 'a' would create a conflict at 'a'"],
    [{}, { $set: { a: 1, 'a.b': 1 } }, 40, "Updating the path 'a.b' would create a conflict at 'a'"],
    [{}, { $set: { 'a.b': 1, a: 1 } }, 40, "Updating the path 'a' would create a conflict at 'a'"],
    [{}, { $rename: { a: 'b' }, $set: { a: 1 } }, 40, "would create a conflict at 'a'"],
    [{}, { $set: { 'a.0': 1, 'a.$[]': 2 } }, 40, "would create a conflict at 'a'"],
    [{}, { $set: { 'a.0.x': 2, 'a.$[].y': 3 } }, 40, "would create a conflict at 'a'"],
    [{}, { $inc: { 'c.$[].x': 1 }, $set: { 'c.$.x': 2 } }, 40, "would create a conflict at 'c'"],
    [{}, { $rename: { 'c.1.x': 'a' }, $inc: { 'c.$[].x': 1 } }, 40, "would create a conflict at 'c'"],
    [{}, { $set: { '': 1 } }, 56, 'An empty update path is not valid.'],
    [{}, { $set: { 'a..b': 1 } }, 56, "The update path 'a..b' contains an empty field name, which is not allowed."],
    [
      { _id: 1 },
      { $set: { _id: 2 } },
      66,
      "Performing an update on the path '_id' would modify the immutable field '_id'",
    ],
    [
      { _id: 1 },
      { $unset: { _id: 1 } },
      66,
      "Performing an update on the path '_id' would modify the immutable field '_id'",
    ],
    [{ _id: { a: 1 } }, { $set: { '_id.a': 2 } }, 66, "Performing an update on the path '_id.a' would modify"],
    [
      { _id: 1 },
      { _id: 2 },
      66,
      "After applying the update, the (immutable) field '_id' was found to have been altered to _id: 2",
    ],
    [{ a: 1 }, { $set: { 'a.b': 1 } }, 28, "Cannot create field 'b' in element {a: 1}"],
    [{ a: [1] }, { $set: { 'a.b': 1 } }, 28, "Cannot create field 'b' in element {a: [ 1 ]}"],
    [{ a: 1 }, { $pop: { 'a.b': 1 } }, 28, 'Cannot use the part (b) of (a.b) to traverse the element ({a: 1})'],
    [
      { _id: 7, a: 'x' },
      { $inc: { a: 1 } },
      14,
      "Cannot apply $inc to a value of non-numeric type. {_id: 7} has the field 'a' of non-numeric type string",
    ],
    [{}, { $inc: { a: 'x' } }, 14, 'Cannot increment with non-numeric argument: {a: "x"}'],
    [
      { _id: 7, a: Long.MAX_VALUE },
      { $inc: { a: 1 } },
      2,
      'Failed to apply $inc operations to current value ((NumberLong)9223372036854775807) for document {_id: 7}',
    ],
    [
      { _id: 7, a: 1 },
      { $push: { a: 1 } },
      2,
      "The field 'a' must be an array but is of type int in document {_id: 7}",
    ],
    [{}, { $push: { a: { $each: 1 } } }, 2, 'The argument to $each in $push must be an array but it was of type: int'],
    [{}, { $push: { a: { $each: [], $foo: 1 } } }, 2, 'Unrecognized clause in $push: $foo'],
    [{}, { $push: { a: { $each: [], $sort: 2 } } }, 2, 'The $sort element value must be either 1 or -1'],
    [
      { a: 1 },
      { $addToSet: { a: 1 } },
      2,
      "Cannot apply $addToSet to non-array field. Field named 'a' has non-array type int",
    ],
    [{ a: 1 }, { $pop: { a: 1 } }, 14, "Path 'a' contains an element of non-array type 'int'"],
    [{}, { $pop: { a: 2 } }, 9, '$pop expects 1 or -1, found: 2'],
    [{ a: 1 }, { $pull: { a: 1 } }, 2, 'Cannot apply $pull to a non-array value'],
    [{}, { $pullAll: { a: 1 } }, 2, '$pullAll requires an array argument but was given a int'],
    [{ a: 1, b: [{}] }, { $rename: { a: 'b.0.c' } }, 2, "'b.0.c' in doc with no id has an array field called 'b'"],
    [{}, { $rename: { a: 1 } }, 2, "The 'to' field for $rename must be a string: a: 1"],
    [{}, { $rename: { a: 'a' } }, 2, 'The source and target field for $rename must differ: a: "a"'],
    [{}, { $rename: { a: 'a.b' } }, 2, 'The source and target field for $rename must not be on the same path'],
    [
      { a: [{ b: 1 }] },
      { $rename: { 'a.0.b': 'c' } },
      2,
      "The source field cannot be an array element, 'a.0.b' in doc with no id has an array field called 'a'",
    ],
    [
      { a: [{ b: 1 }] },
      { $rename: { 'a.b': 'c' } },
      28,
      'cannot use the part (a of a.b) to traverse the element ({a: [ { b: 1 } ]})',
    ],
    [{ a: 'x' }, { $rename: { 'a.b': 'c' } }, 28, 'cannot use the part (a of a.b) to traverse the element ({a: "x"})'],
    [{}, { $rename: { 'a.': 'a' } }, 56, "The update path 'a.' contains an empty field name, which is not allowed."],
    [{}, { $mul: { 'a.': 'x' } }, 56, "The update path 'a.' contains an empty field name, which is not allowed."],
    [{}, { $currentDate: { a: 'x' } }, 2, 'string is not valid type for $currentDate.'],
    [{ a: 1.5 }, { $bit: { a: { and: 1 } } }, 2, 'Cannot apply $bit to a value of non-integral type.'],
    [{ a: [1] }, { $set: { 'a.$': 1 } }, 2, 'The positional operator did not find the match needed from the query.'],
    [{ a: 1 }, { $set: { 'a.$.b': 1 } }, 2, 'The positional operator did not find the match needed from the query.'],
    [{}, { $set: { 'a.$.b.$': 1 } }, 2, "Too many positional (i.e. '$') elements found in path 'a.$.b.$'"],
    [{}, { $set: { 'a.$[]': 1 } }, 2, "The path 'a' must exist in the document in order to apply array updates."],
    [{ a: 1 }, { $set: { 'a.$[]': 1 } }, 2, 'Cannot apply array updates to non-array element a: 1'],
    [{ a: [] }, { $set: { 'a.$[x]': 1 } }, 2, "No array filter found for identifier 'x' in path 'a.$[x]'"],
    [{}, { $set: { $a: 1 } }, 52, "The dollar ($) prefixed field '$a' in '$a' is not allowed"],
  ])('%j refuses %j with code %i', (before, change, code, message) => {
    expect(() => update(before, change)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  test.each<[Document[], number, string]>([
    [[{ x: 1 }, { x: 2 }], 9, 'Found multiple array filters with the same top-level field name x'],
    [[{ x: 1 }, { y: 1 }], 9, "The array filter for identifier 'y' was not used in the update { $set: { a.$[x]: 1 } }"],
    [[{ x: 1, y: 1 }], 9, "Expected a single top-level field name, found 'x' and 'y'"],
    [[{}], 9, 'Cannot use an expression without a top-level field name in arrayFilters'],
    [[{ X: 1 }], 2, 'must be an alphanumeric string beginning with a lowercase letter'],
  ])('refuses the array filters %j', (filters, code, message) => {
    expect(() => update({ a: [1] }, { $set: { 'a.$[x]': 1 } }, filters)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  test('a replacement keeps the _id, and has it first', () => {
    const { doc: after } = update({ _id: 1, a: 1 }, { b: 2, _id: 1 });
    expect(hexOf(after)).toBe(hexOf(doc({ _id: 1, b: 2 })));
  });

  test('a replacement cannot be of many documents', () => {
    expect(() => compileUpdate(doc({ a: 1 }), plainEnv(), { isMulti: true })).toThrow(
      'multi update is not supported for replacement-style update',
    );
  });

  test('$currentDate gives the instant of the command', () => {
    const env = plainEnv();
    const { doc: after } = compileUpdate(doc({ $currentDate: { a: true, b: { $type: 'date' } } }), env).apply(doc({}));
    expect(after.get('a')).toEqual(env.now);
    expect(after.get('b')).toEqual(env.now);
  });
});

describe('upsertDocument', () => {
  const upsert = (filter: Document, change: Document) =>
    upsertDocument(doc(filter), compileUpdate(doc(change), plainEnv()));

  test.each<[Document, Document, Document]>([
    [
      { b: 1, _id: 5, a: { $gt: 3 } },
      { $set: { c: 1 }, $setOnInsert: { d: 2 } },
      { _id: 5, b: 1, c: 1, d: 2 },
    ],
    [{ _id: 5, 'a.b': 1, $and: [{ x: { $eq: 2 } }] }, { $inc: { n: 1 } }, { _id: 5, a: { b: 1 }, x: 2, n: 1 }],
    [{ _id: { $in: [5] }, $or: [{ q: 1 }, { r: 1 }] }, { $set: { a: 1 } }, { _id: 5, a: 1 }],
    [{ _id: 5, b: 1 }, { a: 1 }, { _id: 5, a: 1 }],
    [{ b: 1 }, { a: 1, _id: 5 }, { _id: 5, a: 1 }],
    [{ a: new Int32(1) }, { $set: { _id: 3 } }, { _id: 3, a: 1 }],
  ])('of %j and %j inserts %j', (filter, change, expected) => {
    expect(hexOf(upsert(filter, change))).toBe(hexOf(doc(expected)));
  });

  test('makes an ObjectId, first, where nothing gives an _id', () => {
    const [[key, id]] = [...upsert({ a: 1 }, { $set: { b: 2 } })] as [[string, unknown]];
    expect([key, (id as { _bsontype: string })._bsontype]).toEqual(['_id', 'ObjectId']);
  });

  test.each<[Document, Document, number]>([
    [{ a: 1, $and: [{ a: 2 }] }, { $set: { b: 1 } }, 54],
    [{ a: 1, 'a.b': 2 }, { $set: { b: 1 } }, 54],
    [{ _id: 1 }, { $set: { _id: 2 } }, 66],
    [{ _id: 1 }, { _id: 2 }, 66],
    [{}, { _id: [1] }, 53],
    [{ a: { $all: [1, 2] } }, { $set: { b: 1 } }, 54],
  ])('of %j and %j is refused with code %i', (filter, change, code) => {
    expect(() => upsert(filter, change)).toThrow(expect.objectContaining({ code }));
  });
});

describe('updateDescription', () => {
  test.each<[string, Document, Document, Document, string[], Document?]>([
    ['a field', { a: 1 }, { $set: { a: 2, b: 3 } }, { a: 2, b: 3 }, []],
    ['a field of a document', { a: { b: 1 } }, { $set: { 'a.b': 2, 'a.c': 3 } }, { 'a.b': 2, 'a.c': 3 }, []],
    ['a new document as a whole', {}, { $set: { 'a.b': 1, 'a.c': 2 } }, { a: { b: 1, c: 2 } }, []],
    ['a whole document that is set', { a: { b: 1, c: 1 } }, { $set: { a: { b: 1, c: 2 } } }, { a: { b: 1, c: 2 } }, []],
    ['removed fields', { a: 1, b: { c: 1 } }, { $unset: { a: 1, 'b.c': 1 } }, {}, ['a', 'b.c']],
    [
      'elements pushed at the end',
      { a: [1] },
      { $push: { a: { $each: [2, 3] } } },
      { 'a.1': 2, 'a.2': 3 },
      [],
      { 'a.1': ['a', 1], 'a.2': ['a', 2] },
    ],
    ['an array that was empty', { a: [] }, { $push: { a: 1 } }, { a: [1] }, []],
    ['an array that was cut', { a: [1, 2] }, { $pop: { a: 1 } }, { a: [1] }, []],
    [
      'a field in an array',
      { a: [{ b: 1 }] },
      { $set: { 'a.0.b': 2 } },
      { 'a.0.b': 2 },
      [],
      { 'a.0.b': ['a', 0, 'b'] },
    ],
    ['a renamed field', { a: 1 }, { $rename: { a: 'b' } }, { b: 1 }, ['a']],
  ])('tells %s', (_title, before, change, updatedFields, removedFields, disambiguatedPaths = {}) => {
    const description = update(before, change).description!;
    expect(hexOf(description.updatedFields)).toBe(hexOf(doc(updatedFields)));
    expect(description.removedFields).toEqual(removedFields);
    expect(hexOf(description.disambiguatedPaths)).toBe(hexOf(doc(disambiguatedPaths)));
    expect(description.truncatedArrays).toEqual([]);
  });

  const padding = 'x'.repeat(100);
  test.each<[string, Document, Document, Document, string[], Document[]?]>([
    ['fields', { a: 1, b: 1, c: 1 }, { a: 1, b: 2, d: 1 }, { b: 2, d: 1 }, ['c']],
    ['a field that changed its place', { a: 1, b: 1 }, { b: 1, a: 1 }, { a: 1 }, []],
    ['fields of a large document', { a: { b: 1, p: padding } }, { a: { b: 2, p: padding } }, { 'a.b': 2 }, []],
    ['a small document as a whole', { a: { b: 1 } }, { a: { b: 2 } }, { a: { b: 2 } }, []],
    ['elements', { a: [padding, 1] }, { a: [padding, 2, 3] }, { 'a.1': 2, 'a.2': 3 }, []],
    ['a truncated array', { a: [padding, 1, 2] }, { a: [padding] }, {}, [], [{ field: 'a', newSize: 1 }]],
  ])('of two documents tells %s', (_title, before, after, updatedFields, removedFields, truncatedArrays = []) => {
    const description = diffDocuments(doc({ _p: padding, ...before }), doc({ _p: padding, ...after }))!;
    expect(hexOf(description.updatedFields)).toBe(hexOf(doc(updatedFields)));
    expect(description.removedFields).toEqual(removedFields);
    expect(description.truncatedArrays.map(hexOf)).toEqual(truncatedArrays.map((truncated) => hexOf(doc(truncated))));
  });

  test('of two small documents is none: the new one is as short', () => {
    expect(diffDocuments(doc({ _id: 1, a: 1 }), doc({ _id: 1, a: 2 }))).toBeUndefined();
  });
});
