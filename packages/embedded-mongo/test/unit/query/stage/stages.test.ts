import { describe, expect, test } from '@jest/globals';
import { aggregate, MemoryHost } from '../../../support/aggregate.js';
import { double } from '../../../support/bson-values.js';
import { errorOf } from '../../../support/evaluate.js';

const codeOf = (...args: Parameters<typeof aggregate>): number => errorOf(() => aggregate(...args))[0];

describe('$project', () => {
  test('keeps the order of the document for fields, and of the specification for what it computes', () => {
    expect(aggregate([{ $project: { c: 1, x: '$b', a: 1 } }], [{ _id: 1, a: 1, b: 2, c: 3 }])).toEqual([
      '{ _id: int 1, a: int 1, c: int 3, x: int 2 }',
    ]);
  });

  test('reaches into arrays, keeps and drops', () => {
    const docs = [{ _id: 1, a: [{ b: 1, c: 2 }, 5, { c: 3 }] }];
    expect(aggregate([{ $project: { 'a.b': 1, _id: 0 } }], docs)).toEqual(['{ a: [{ b: int 1 }, {}] }']);
    expect(aggregate([{ $project: { a: { c: 0 } } }], docs)).toEqual(['{ _id: int 1, a: [{ b: int 1 }, int 5, {}] }']);
    expect(aggregate([{ $project: { 'a.d': { $literal: 1 }, _id: 0 } }], docs)).toEqual([
      '{ a: [{ d: int 1 }, { d: int 1 }, { d: int 1 }] }',
    ]);
  });

  test('refuses a mix, a collision and nothing at all', () => {
    expect(errorOf(() => aggregate([{ $project: { a: 1, b: 0 } }]))).toEqual([
      31254,
      'Invalid $project :: caused by :: Cannot do exclusion on field b in inclusion projection',
    ]);
    expect(codeOf([{ $project: { a: 0, b: 1 } }])).toBe(31253);
    expect(codeOf([{ $project: { a: 1, 'a.b': 1 } }])).toBe(31249);
    expect(codeOf([{ $project: {} }])).toBe(51272);
    expect(codeOf([{ $project: { a: { $bogus: 1 } } }])).toBe(31325);
  });
});

describe('$set and $unset', () => {
  test('overwrite in place, reach into arrays, and remove', () => {
    const docs = [{ _id: 1, a: 1, b: [{ c: 1 }, 2] }];
    expect(aggregate([{ $set: { a: 2, 'b.d': '$a' } }], docs)).toEqual([
      '{ _id: int 1, a: int 2, b: [{ c: int 1, d: int 1 }, { d: int 1 }] }',
    ]);
    expect(aggregate([{ $set: { a: '$$REMOVE' } }, { $unset: ['b.c'] }], docs)).toEqual([
      '{ _id: int 1, b: [{}, int 2] }',
    ]);
  });
});

describe('$group', () => {
  test('takes equal keys of all number types for one, and a missing one for null', () => {
    const docs = [{ k: 1 }, { k: double(1) }, { k: 1n }, { k: null }, {}];
    expect(aggregate([{ $group: { _id: '$k', n: { $sum: 1 } } }], docs)).toEqual([
      '{ _id: int 1, n: int 3 }',
      '{ _id: null, n: int 2 }',
    ]);
  });

  test('gives accumulators the types MongoDB does', () => {
    const docs = [{ v: 1 }, { v: 2n }, { v: 'x' }, {}];
    const fields = {
      sum: { $sum: '$v' },
      avg: { $avg: '$v' },
      min: { $min: '$v' },
      max: { $max: '$v' },
      push: { $push: '$v' },
      set: { $addToSet: '$v' },
      first: { $first: '$v' },
      last: { $last: '$v' },
      count: { $count: {} },
      dev: { $stdDevPop: '$v' },
      none: { $avg: '$nope' },
    };
    expect(aggregate([{ $group: { _id: null, ...fields } }], docs)).toEqual([
      '{ _id: null, sum: long 3, avg: double 1.5, min: int 1, max: "x", push: [int 1, long 2, "x"], set: [int 1, long 2, "x"], first: int 1, last: null, count: int 4, dev: double 0.5, none: null }',
    ]);
  });

  test('sums ints past 32 bits to a long and past 64 bits to a double', () => {
    const sum = (...values: unknown[]) =>
      aggregate(
        [{ $group: { _id: null, s: { $sum: '$v' } } }],
        values.map((v) => ({ v })),
      );
    expect(sum(2147483647, 1)).toEqual(['{ _id: null, s: long 2147483648 }']);
    expect(sum(9223372036854775807n, 1n)).toEqual(['{ _id: null, s: double 9223372036854776000 }']);
  });

  test('ranks by a sort of its own, n computed from the key', () => {
    const docs = [{ k: { n: 2 }, v: 3 }, { k: { n: 2 }, v: 1 }, { k: { n: 2 }, v: 2 }, { k: { n: 2 } }];
    const fields = {
      first: { $firstN: { n: '$n', input: '$v' } },
      last: { $lastN: { n: 2, input: '$v' } },
      min: { $minN: { n: 2, input: '$v' } },
      max: { $maxN: { n: 2, input: '$v' } },
      top: { $top: { sortBy: { v: -1 }, output: '$v' } },
      bottom: { $bottomN: { n: 2, sortBy: { v: -1 }, output: '$v' } },
      median: { $median: { input: '$v', method: 'approximate' } },
    };
    expect(aggregate([{ $group: { _id: '$k', ...fields } }, { $unset: '_id' }], docs)).toEqual([
      '{ first: [int 3, int 1], last: [int 2, null], min: [int 1, int 2], max: [int 3, int 2], top: int 3, bottom: [int 1, null], median: double 2 }',
    ]);
  });

  test('refuses what is no group', () => {
    expect(errorOf(() => aggregate([{ $group: {} }]))).toEqual([15955, 'a group specification must include an _id']);
    expect(codeOf([{ $group: { _id: 1, a: 1 } }])).toBe(40234);
    expect(codeOf([{ $group: { _id: 1, a: { $bogus: 1 } } }])).toBe(15952);
    expect(codeOf([{ $group: { _id: 1, 'a.b': { $sum: 1 } } }])).toBe(40235);
    expect(codeOf([{ $group: { _id: 1, a: { $sum: 1, $avg: 1 } } }])).toBe(40238);
    expect(codeOf([{ $group: { _id: 1, a: { $sum: [1, 2] } } }])).toBe(40237);
  });
});

describe('$unwind', () => {
  const docs = [{ _id: 1, a: [5, 6] }, { _id: 2, a: [] }, { _id: 3 }, { _id: 4, a: 7 }, { _id: 5, a: null }];

  test('takes what is no array for one of one element, and drops what has none', () => {
    expect(aggregate([{ $unwind: '$a' }], docs)).toEqual([
      '{ _id: int 1, a: int 5 }',
      '{ _id: int 1, a: int 6 }',
      '{ _id: int 4, a: int 7 }',
    ]);
  });

  test('keeps them when asked to, with a long for the index', () => {
    const spec = { path: '$a', preserveNullAndEmptyArrays: true, includeArrayIndex: 'i' };
    expect(aggregate([{ $unwind: spec }], docs)).toEqual([
      '{ _id: int 1, a: int 5, i: long 0 }',
      '{ _id: int 1, a: int 6, i: long 1 }',
      '{ _id: int 2, i: null }',
      '{ _id: int 3, i: null }',
      '{ _id: int 4, a: int 7, i: null }',
      '{ _id: int 5, a: null, i: null }',
    ]);
    expect(codeOf([{ $unwind: 'a' }])).toBe(28818);
    expect(codeOf([{ $unwind: { path: '$a', x: 1 } }])).toBe(28811);
  });
});

describe('$sort, $skip, $limit, $count, $sample', () => {
  test('order arrays by their least element, or their greatest when descending', () => {
    const docs = [{ a: [3, 0] }, { a: 2 }, { a: [] }, {}, { a: [1, 9] }];
    const sorted = (direction: number) =>
      aggregate([{ $set: { b: 1 } }, { $sort: { a: direction } }, { $unset: 'b' }], docs);
    expect(sorted(1)).toEqual(['{ a: [] }', '{}', '{ a: [int 3, int 0] }', '{ a: [int 1, int 9] }', '{ a: int 2 }']);
    expect(sorted(-1)).toEqual(['{ a: [int 1, int 9] }', '{ a: [int 3, int 0] }', '{ a: int 2 }', '{}', '{ a: [] }']);
  });

  test('check their arguments', () => {
    expect(codeOf([{ $limit: 0 }])).toBe(15958);
    expect(codeOf([{ $limit: -1 }])).toBe(5107201);
    expect(codeOf([{ $skip: 'x' }])).toBe(5107200);
    expect(codeOf([{ $sort: {} }])).toBe(15976);
    expect(codeOf([{ $sort: { a: 2 } }])).toBe(15975);
    expect(codeOf([{ $count: '' }])).toBe(40157);
    expect(codeOf([{ $sample: {} }])).toBe(28749);
    expect(codeOf([{ $match: 1 }])).toBe(15959);
  });

  test('count nothing as nothing, and sample without repetition', () => {
    expect(aggregate([{ $count: 'n' }], [])).toEqual([]);
    expect(aggregate([{ $count: 'n' }], [{}, {}])).toEqual(['{ n: int 2 }']);
    const sampled = aggregate([{ $sample: { size: 3 } }], [{ a: 1 }, { a: 2 }, { a: 3 }]);
    expect(sampled.sort()).toEqual(['{ a: int 1 }', '{ a: int 2 }', '{ a: int 3 }']);
    expect(aggregate([{ $sortByCount: '$a' }], [{ a: 1 }, { a: 2 }, { a: 2 }])).toEqual([
      '{ _id: int 2, count: int 2 }',
      '{ _id: int 1, count: int 1 }',
    ]);
  });
});

describe('$replaceRoot, $redact, $facet, $unionWith, $bucket', () => {
  test('replace documents by documents only', () => {
    expect(aggregate([{ $replaceWith: '$a' }], [{ a: { b: 1 } }])).toEqual(['{ b: int 1 }']);
    expect(codeOf([{ $replaceRoot: { newRoot: '$a' } }], [{ a: 1 }])).toBe(40228);
  });

  test('redact level by level, $$ROOT staying the whole document', () => {
    const level = { $cond: [{ $lte: ['$level', '$$ROOT.clearance'] }, '$$DESCEND', '$$PRUNE'] };
    const docs = [{ clearance: 2, level: 1, a: [{ level: 3 }, { level: 2, b: { level: 9 } }, 5] }];
    expect(aggregate([{ $redact: level }], docs)).toEqual([
      '{ clearance: int 2, level: int 1, a: [{ level: int 2 }, int 5] }',
    ]);
    expect(codeOf([{ $redact: 1 }], [{}])).toBe(17053);
  });

  test('run several pipelines over the same documents', () => {
    const facets = { n: [{ $count: 'n' }], big: [{ $match: { a: { $gt: 1 } } }, { $limit: 1 }] };
    expect(aggregate([{ $facet: facets }], [{ a: 1 }, { a: 2 }, { a: 3 }])).toEqual([
      '{ n: [{ n: int 3 }], big: [{ a: int 2 }] }',
    ]);
  });

  test('append another collection', () => {
    const host = new MemoryHost({ c: [{ a: 1 }], d: [{ a: 2 }, { a: 3 }] });
    expect(aggregate([{ $unionWith: { coll: 'd', pipeline: [{ $match: { a: 3 } }] } }], host)).toEqual([
      '{ a: int 1 }',
      '{ a: int 3 }',
    ]);
  });

  test('bucket between boundaries, the rest in the default', () => {
    const docs = [{ v: 0 }, { v: 5.5 }, { v: 9 }, { v: 10 }, { v: 'x' }];
    expect(aggregate([{ $bucket: { groupBy: '$v', boundaries: [0, 5, 10], default: 'other' } }], docs)).toEqual([
      '{ _id: int 0, count: int 1 }',
      '{ _id: int 5, count: int 2 }',
      '{ _id: "other", count: int 2 }',
    ]);
    expect(codeOf([{ $bucket: { groupBy: '$v', boundaries: [0, 5] } }], docs)).toBe(40066);
    expect(codeOf([{ $bucket: { groupBy: '$v', boundaries: [5, 0] } }])).toBe(40194);
    expect(codeOf([{ $bucket: { groupBy: 'v', boundaries: [0, 5] } }])).toBe(40202);
  });
});
