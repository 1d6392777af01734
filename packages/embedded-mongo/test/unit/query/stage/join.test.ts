import { describe, expect, test } from '@jest/globals';
import { aggregate, MemoryHost } from '../../../support/aggregate.js';
import { show } from '../../../support/bson-values.js';
import { errorOf } from '../../../support/evaluate.js';

const codeOf = (...args: Parameters<typeof aggregate>): number => errorOf(() => aggregate(...args))[0];

describe.each([
  ['by an index', ['k']],
  ['without an index', []],
])('$lookup %s', (_, indexed) => {
  const host = (collections: Record<string, object[]>): MemoryHost => {
    const created = new MemoryHost(collections);
    for (const field of indexed) created.indexed.add(field);
    return created;
  };
  const lookup = { from: 'd', localField: 'l', foreignField: 'k', as: 'found' };

  test('joins across number types, elements of arrays, and null with missing', () => {
    const d = [{ _id: 1, k: 1n }, { _id: 2, k: [1, 7] }, { _id: 3 }, { _id: 4, k: null }, { _id: 5, k: 8 }];
    const found = (l: unknown) =>
      aggregate(
        [{ $lookup: lookup }, { $project: { ids: '$found._id' } }],
        host({ c: [l === undefined ? {} : { l }], d }),
      );
    expect(found(1)).toEqual(['{ ids: [int 1, int 2] }']);
    expect(found([8, 7])).toEqual(expect.arrayContaining([expect.stringMatching(/int 2.*int 5|int 5.*int 2/)]));
    expect(found(undefined)).toEqual(['{ ids: [int 3, int 4] }']);
    expect(found('x')).toEqual(['{ ids: [] }']);
  });

  test('runs a pipeline on what it joined, with variables of the document', () => {
    const stages = [{ $match: { $expr: { $gt: ['$v', '$$min'] } } }, { $project: { v: 1, _id: 0 } }];
    const d = [
      { k: 1, v: 1 },
      { k: 1, v: 5 },
      { k: 2, v: 9 },
    ];
    expect(
      aggregate(
        [{ $lookup: { ...lookup, let: { min: '$m' }, pipeline: stages } }],
        host({
          c: [
            { l: 1, m: 2 },
            { l: 1, m: 0 },
          ],
          d,
        }),
      ),
    ).toEqual([
      '{ l: int 1, m: int 2, found: [{ v: int 5 }] }',
      '{ l: int 1, m: int 0, found: [{ v: int 1 }, { v: int 5 }] }',
    ]);
  });
});

describe('$lookup', () => {
  test('gives what several values find in the order of the collection', () => {
    const host = new MemoryHost({
      c: [{ l: [1, 2] }],
      d: [
        { _id: 1, k: 2 },
        { _id: 2, k: 1 },
        { _id: 3, k: [1, 2] },
      ],
    });
    const lookup = { from: 'd', localField: 'l', foreignField: 'k', as: 'r' };
    expect(aggregate([{ $lookup: lookup }, { $project: { ids: '$r._id' } }], host)).toEqual([
      '{ ids: [int 1, int 2, int 3] }',
    ]);
  });

  test('computes what stands on its variables alone, even if no document needs it', () => {
    const lookup = (expression: object) => [
      { $lookup: { from: 'd', as: 'r', let: { a: '$a' }, pipeline: [{ $project: { x: expression } }] } },
    ];
    const host = () => new MemoryHost({ c: [{ a: { b: 1 } }], d: [] });
    expect(codeOf(lookup({ $concat: ['$n', { $toString: '$$a' }] }), host())).toBe(241);
    expect(aggregate(lookup({ $add: ['$n', '$$a'] }), host())).toEqual(['{ a: { b: int 1 }, r: [] }']);
  });

  test('inside another evaluates anew for each value of the variables around it, with let of its own or without', () => {
    const host = new MemoryHost({ c: [{ a: 1 }, { a: 2 }], d: [{ v: 1 }], e: [{ w: 1 }, { w: 2 }] });
    const inner = (own: object) => ({
      $lookup: { from: 'e', as: 'es', ...own, pipeline: [{ $match: { $expr: { $eq: ['$w', '$$a'] } } }] },
    });
    for (const own of [{}, { let: { b: 1 } }]) {
      const outer = { $lookup: { from: 'd', as: 'ds', let: { a: '$a' }, pipeline: [inner(own)] } };
      expect(aggregate([outer, { $project: { w: '$ds.es.w' } }], host)).toEqual([
        '{ w: [[int 1]] }',
        '{ w: [[int 2]] }',
      ]);
    }
  });

  test('by a pipeline alone evaluates it for each document, or once when it does not depend on them', () => {
    const host = new MemoryHost({ c: [{ a: 1 }, { a: 2 }], d: [{ v: 1 }, { v: 2 }] });
    const pipeline = [{ $match: { $expr: { $eq: ['$v', '$$a'] } } }];
    expect(aggregate([{ $lookup: { from: 'd', let: { a: '$a' }, pipeline, as: 'x' } }], host)).toEqual([
      '{ a: int 1, x: [{ v: int 1 }] }',
      '{ a: int 2, x: [{ v: int 2 }] }',
    ]);
    host.reads.length = 0;
    aggregate([{ $lookup: { from: 'd', pipeline: [{ $match: { v: 1 } }], as: 'x' } }], host);
    expect(host.reads).toHaveLength(2);
  });

  test('refuses what is incomplete', () => {
    expect(codeOf([{ $lookup: { from: 'd', as: 'x', localField: 'a' } }])).toBe(9);
    expect(codeOf([{ $lookup: { from: 'd', localField: 'a', foreignField: 'b' } }])).toBe(9);
    expect(codeOf([{ $lookup: { from: 'd', as: 'x', bogus: 1 } }])).toBe(9);
    expect(codeOf([{ $lookup: { from: 'd', as: 'x', let: { A: 1 }, pipeline: [] } }])).toBe(9);
  });
});

describe('$graphLookup', () => {
  test('finds each document once, however the graph turns, with its depth as a long', () => {
    const d = [
      { _id: 'a', to: ['b'] },
      { _id: 'b', to: ['c', 'a'] },
      { _id: 'c', to: 'd' },
      { _id: 'd' },
      { _id: 'z' },
    ];
    const spec = {
      from: 'd',
      startWith: '$s',
      connectFromField: 'to',
      connectToField: '_id',
      as: 'x',
      depthField: 'n',
    };
    const host = new MemoryHost({ c: [{ s: 'a' }], d });
    const show = { $project: { x: { $map: { input: '$x', in: ['$$this._id', '$$this.n'] } } } };
    expect(aggregate([{ $graphLookup: spec }, show], host)).toEqual([
      '{ x: [["a", long 0], ["b", long 1], ["c", long 2], ["d", long 3]] }',
    ]);
    expect(aggregate([{ $graphLookup: { ...spec, maxDepth: 0 } }, show], host)).toEqual(['{ x: [["a", long 0]] }']);
    const restricted = { ...spec, restrictSearchWithMatch: { _id: { $ne: 'c' } } };
    expect(aggregate([{ $graphLookup: restricted }, show], host)).toEqual(['{ x: [["a", long 0], ["b", long 1]] }']);
    expect(codeOf([{ $graphLookup: { from: 'd' } }])).toBe(40105);
  });
});

describe('$out and $merge', () => {
  const written = (host: MemoryHost, name: string): string[] => (host.collections.get(`db.${name}`) ?? []).map(show);
  const merge = (spec: object, docs: object[], into: object[], unique?: string): string[] => {
    const host = new MemoryHost({ c: docs, t: into });
    if (unique) host.unique.add(unique);
    expect(aggregate([{ $merge: { into: 't', ...spec } }], host)).toEqual([]);
    return written(host, 't');
  };

  test('replace a collection, with an _id for each document', () => {
    const host = new MemoryHost({ c: [{ _id: 1, a: 1 }], t: [{ _id: 9 }] });
    expect(aggregate([{ $out: 't' }], host)).toEqual([]);
    expect(written(host, 't')).toEqual(['{ _id: int 1, a: int 1 }']);
    aggregate([{ $project: { _id: 0 } }, { $out: { db: 'db', coll: 'u' } }], host);
    expect(written(host, 'u')[0]).toMatch(/^{ _id: oid [0-9a-f]{24}, a/);
  });

  test('merge in every mode', () => {
    const [docs, into] = [
      [
        { _id: 1, a: 1 },
        { _id: 2, a: 2 },
      ],
      [{ _id: 1, b: 5 }],
    ];
    const second = '{ _id: int 2, a: int 2 }';
    expect(merge({}, docs, into)).toEqual(['{ _id: int 1, b: int 5, a: int 1 }', second]);
    expect(merge({ whenMatched: 'replace' }, docs, into)).toEqual(['{ _id: int 1, a: int 1 }', second]);
    expect(merge({ whenMatched: 'keepExisting' }, docs, into)).toEqual(['{ _id: int 1, b: int 5 }', second]);
    expect(merge({ whenNotMatched: 'discard' }, docs, into)).toEqual(['{ _id: int 1, b: int 5, a: int 1 }']);
    expect(() => merge({ whenMatched: 'fail' }, docs, into)).toThrow('E11000');
    expect(errorOf(() => merge({ whenNotMatched: 'fail' }, docs, into))[0]).toBe(13113);
    const update = { whenMatched: [{ $set: { b: { $add: ['$b', '$$new.a'] } } }] };
    expect(merge(update, docs, into)).toEqual(['{ _id: int 1, b: int 6 }', second]);
    const other = { let: { x: '$a' }, whenMatched: [{ $set: { b: '$$x' } }] };
    expect(merge(other, docs, into)).toEqual(['{ _id: int 1, b: int 1 }', second]);
  });

  test('merge on other fields if a unique index covers them, keeping the _id there is', () => {
    const [docs, into] = [[{ _id: 7, k: 1, a: 1 }], [{ _id: 1, k: 1 }]];
    expect(errorOf(() => merge({ on: 'k' }, docs, into))[0]).toBe(51183);
    const host = new MemoryHost({ c: docs, t: into });
    host.unique.add('k');
    aggregate([{ $unset: '_id' }, { $merge: { into: 't', on: 'k' } }], host);
    expect(written(host, 't')).toEqual(['{ _id: int 1, k: int 1, a: int 1 }']);
    expect(errorOf(() => merge({ on: 'k' }, [{ _id: 1 }], into, 'k'))[0]).toBe(51132);
  });

  test('refuse specifications they do not know', () => {
    expect(codeOf([{ $out: 1 }])).toBe(16990);
    expect(codeOf([{ $merge: 1 }])).toBe(51182);
    expect(codeOf([{ $merge: { into: 't', whenMatched: 'x' } }])).toBe(2);
    expect(codeOf([{ $merge: { into: 't', whenMatched: 'fail', whenNotMatched: 'discard' } }])).toBe(51181);
    expect(codeOf([{ $merge: { into: 't', bogus: 1 } }])).toBe(40415);
  });
});
