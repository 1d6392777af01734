import { describe, expect, it } from '@jest/globals';
import type { Document } from 'bson';
import { plainEnv } from '../../../src/query/env.js';
import { sortDocs, sortOrder } from '../../../src/query/sort.js';
import { doc } from '../../support/docs.js';

const sorted = (spec: Document, ...docs: Document[]): unknown[] =>
  sortDocs(
    docs.map((each, i) => doc({ ...each, _id: i })),
    sortOrder(doc(spec), plainEnv()),
  ).map((each) => Number(each.get('_id')));

describe('sort', () => {
  it('takes of an array its least element, or its greatest where the order descends', () => {
    expect(sorted({ a: 1 }, { a: [3, 9] }, { a: 4 }, { a: [5, 1] })).toEqual([2, 0, 1]);
    expect(sorted({ a: -1 }, { a: [3, 9] }, { a: 4 }, { a: [5, 1] })).toEqual([0, 2, 1]);
  });

  it('takes the values of several fields from one element of their array', () => {
    const pairs = [
      { x: 2, y: 1 },
      { x: 1, y: 9 },
    ];
    expect(sorted({ 'a.x': 1, 'a.y': 1 }, { a: pairs }, { a: [{ x: 1, y: 5 }] })).toEqual([1, 0]);
  });

  it('refuses two fields that lead through different arrays', () => {
    expect(() => sorted({ a: 1, b: 1 }, { a: [1, 2], b: [1, 2] }, {})).toThrow(
      'cannot sort with keys that are parallel arrays',
    );
  });

  it('puts an empty array before null, but what is missing in one with null', () => {
    expect(sorted({ a: 1 }, { a: null }, { a: [] })).toEqual([1, 0]);
    expect(sorted({ 'a.b': 1 }, { a: { b: null } }, { a: [] }, {})).toEqual([0, 1, 2]);
  });
});
