import { describe, expect, test } from '@jest/globals';
import type { Document } from 'bson';
import { plainEnv } from '../../../src/query/env.js';
import { compileAddFields, compileProject, compileProjection } from '../../../src/query/projection.js';
import { doc, hexOf } from '../../support/docs.js';

const project = (spec: Document, document: Document, filter: Document = {}) =>
  compileProjection(doc(spec), plainEnv(), doc(filter))(doc(document));

const DOC = { _id: 1, a: 1, b: { c: 2, d: 3 }, e: [{ f: 1, g: 2 }, 5, { g: 3 }], n: [1, 2, 3, 4] };

describe('compileProjection', () => {
  test.each<[Document, Document]>([
    [{}, DOC],
    [{ a: 1 }, { _id: 1, a: 1 }],
    [
      { n: 1, a: 1, _id: 0 },
      { a: 1, n: DOC.n },
    ],
    [{ _id: 1 }, { _id: 1 }],
    [{ _id: 0 }, { a: 1, b: DOC.b, e: DOC.e, n: DOC.n }],
    [
      { a: 0, n: 0, _id: 1 },
      { _id: 1, b: DOC.b, e: DOC.e },
    ],
    [{ 'b.c': 1 }, { _id: 1, b: { c: 2 } }],
    [{ b: { c: 1 } }, { _id: 1, b: { c: 2 } }],
    [
      { 'b.c': 1, b: { d: 1 } },
      { _id: 1, b: { c: 2, d: 3 } },
    ],
    [{ 'a.x': 1 }, { _id: 1 }],
    [{ 'e.f': 1 }, { _id: 1, e: [{ f: 1 }, {}] }],
    [
      { 'e.g': 0, n: 0, b: 0 },
      { _id: 1, a: 1, e: [{ f: 1 }, 5, {}] },
    ],
    [
      { 'a.x': 0, e: 0, n: 0, b: 0 },
      { _id: 1, a: 1 },
    ],
    [
      { n: { $slice: 2 }, e: 0, b: 0 },
      { _id: 1, a: 1, n: [1, 2] },
    ],
    [
      { n: { $slice: -1 }, a: 1 },
      { _id: 1, a: 1, n: [4] },
    ],
    [
      { n: { $slice: [1, 2] }, _id: 1 },
      { _id: 1, n: [2, 3] },
    ],
    [
      { n: { $slice: [-3, 2] }, a: 1 },
      { _id: 1, a: 1, n: [2, 3] },
    ],
    [
      { e: { $elemMatch: { g: 3 } }, n: 1 },
      { _id: 1, n: DOC.n, e: [{ g: 3 }] },
    ],
    [{ n: { $elemMatch: { $gt: 2 } } }, { _id: 1, n: [3] }],
    [{ n: { $elemMatch: { $gt: 9 } } }, { _id: 1 }],
    [
      { x: '$b.c', y: { $add: ['$a', 1] }, z: 'text' },
      { _id: 1, x: 2, y: 2, z: 'text' },
    ],
    [
      { a: 1, 'b.x': { $literal: 9 } },
      { _id: 1, a: 1, b: { x: 9 } },
    ],
    [
      { x: '$missing', a: 1 },
      { _id: 1, a: 1 },
    ],
    [{ n: { $slice: ['$n', 1] } }, { _id: 1, n: [1] }],
  ])('%j gives %j', (spec, expected) => {
    expect(hexOf(project(spec, DOC))).toBe(hexOf(doc(expected)));
  });

  test.each<[Document, Document, Document]>([
    [{ 'n.$': 1 }, { n: { $gt: 2 } }, { _id: 1, n: [3] }],
    [{ 'e.$': 1, a: 1 }, { 'e.g': 3 }, { _id: 1, a: 1, e: [{ g: 3 }] }],
    [{ 'e.g.$': 1 }, { 'e.g': 3 }, { _id: 1, e: [{ g: 3 }] }],
    [{ 'n.$': 1 }, { a: 1, $or: [{ n: 4 }] }, { _id: 1, n: [4] }],
    [{ 'n.$': 1 }, { 'e.g': 3 }, { _id: 1, n: [3] }], // the position is that of a parallel array
    [{ 'x.$': 1 }, { a: 1 }, { _id: 1 }],
  ])('%j gives the element that %j matched', (spec, filter, expected) => {
    expect(hexOf(project(spec, DOC, filter))).toBe(hexOf(doc(expected)));
  });

  test.each<[Document, number, string]>([
    [{ a: 1, b: 0 }, 31254, 'Cannot do exclusion on field b in inclusion projection'],
    [{ a: 0, b: 1 }, 31253, 'Cannot do inclusion on field b in exclusion projection'],
    [{ a: 0, b: '$c' }, 31310, 'Cannot use an expression b: "$c" in an exclusion projection'],
    [{ a: 0, b: { $add: [1, 1] } }, 31252, 'Cannot use expression other than $meta in exclusion projection'],
    [{ a: 1, 'a.b': 1 }, 31249, 'Path collision at a.b remaining portion b'],
    [{ 'a.b': 1, a: 1 }, 31250, 'Path collision at a'],
    [{ a: { $foo: 1 } }, 31325, 'Unknown expression $foo'],
    [{ a: {} }, 51270, 'An empty sub-projection is not a valid value. Found empty object at path a'],
    [{ 'a.$': 0 }, 31395, 'positional projection cannot be used with exclusion'],
    [{ 'a.$.b': 1 }, 31394, "As of 4.4, it's illegal to specify positional operator in the middle of a path."],
    [{ $: 1 }, 16410, "FieldPath field names may not start with '$'."],
    [{ a: { $elemMatch: 1 } }, 31274, 'elemMatch: Invalid argument, object required, but got int'],
    [{ 'a.b': { $elemMatch: {} } }, 31275, 'Cannot use $elemMatch projection on a nested field.'],
    [{ a: { $slice: [1, 0] } }, 28724, 'Invalid $slice syntax.'],
    [{ 'a..b': 1 }, 15998, 'FieldPath field names may not be empty strings.'],
    [{ 'a.': 1 }, 40353, "FieldPath must not end with a '.'."],
    [{ $a: 1 }, 16410, "FieldPath field names may not start with '$'."],
  ])('refuses %j with code %i', (spec, code, message) => {
    expect(() => project(spec, {})).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  test('refuses a position the query did not find', () => {
    expect(() => project({ 'n.$': 1 }, DOC, { $or: [{ a: 1 }, { n: 9 }] })).toThrow(
      expect.objectContaining({ code: 51246 }),
    );
  });
});

describe('compileProject and compileAddFields', () => {
  const projected = (spec: Document) => compileProject(doc(spec), plainEnv())(doc(DOC));
  const added = (spec: Document) => compileAddFields(doc(spec), plainEnv())(doc(DOC));

  test.each<[Document, Document]>([
    [
      { a: 1, 'b.c': true },
      { _id: 1, a: 1, b: { c: 2 } },
    ],
    [{ n: { $slice: ['$n', 2] }, _id: 0 }, { n: [1, 2] }],
    [
      { e: 0, n: 0, b: { c: 0 } },
      { _id: 1, a: 1, b: { d: 3 } },
    ],
    [{ 'b.c': 1, b: { d: '$a' }, _id: 0 }, { b: { c: 2, d: 1 } }],
    [{ 'e.x': '$a', _id: 0 }, { e: [{ x: 1 }, { x: 1 }, { x: 1 }] }], // of what is no document, too
    [{ b: { $id: 1 }, _id: 0 }, { b: {} }], // a field of a DBRef
  ])('$project of %j', (spec, expected) => expect(hexOf(projected(spec))).toBe(hexOf(doc(expected))));

  test('know nothing of what only a find has', () => {
    for (const spec of [{ 'n.$': 1 }, { n: { $elemMatch: { $gt: 1 } } }, { n: { $slice: 2 } }]) {
      expect(() => projected(spec)).toThrow();
    }
  });

  test('refuse what is neither an operator nor a field', () => {
    expect(() => projected({ a: { $bogus: 1 } })).toThrow(expect.objectContaining({ code: 31325 }));
  });

  test('keep a field that is set anew in its place', () => {
    expect([...added({ a: 2, z: 1, 'b.c': 0 }).keys()]).toEqual(['_id', 'a', 'b', 'e', 'n', 'z']);
  });
});
