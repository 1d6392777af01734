import { describe, expect, test } from '@jest/globals';
import { interruptible } from '../../../src/bson/work.js';
import { compilePipelineUpdate, pipelineWrites, splitPipeline } from '../../../src/query/pipeline.js';
import { plainEnv } from '../../../src/query/env.js';
import { aggregate, MemoryHost } from '../../support/aggregate.js';
import { doc, show, value } from '../../support/bson-values.js';
import { errorOf } from '../../support/evaluate.js';

const codeOf = (...args: Parameters<typeof aggregate>): number => errorOf(() => aggregate(...args))[0];

describe('a pipeline', () => {
  test('with an unknown or malformed stage is refused', () => {
    expect(errorOf(() => aggregate([{ $bogus: 1 }]))).toEqual([40324, "Unrecognized pipeline stage name: '$bogus'"]);
    expect(codeOf([{ $match: {}, $limit: 1 }])).toBe(40323);
    expect(codeOf([{}])).toBe(40323);
  });

  test('refuses stages out of place', () => {
    expect(errorOf(() => aggregate([{ $out: 'x' }, { $match: {} }]))).toEqual([
      40601,
      '$out can only be the final stage in the pipeline',
    ]);
    expect(codeOf([{ $match: {} }, { $collStats: {} }])).toBe(40602);
    expect(codeOf([{ $facet: { a: [{ $out: 'x' }] } }])).toBe(40600);
    expect(codeOf([{ $lookup: { from: 'd', as: 'x', pipeline: [{ $out: 'x' }] } }])).toBe(51047);
    expect(codeOf([{ $unionWith: { coll: 'd', pipeline: [{ $out: 'x' }] } }])).toBe(31441);
    expect(codeOf([{ $merge: 'x' }], [], { enclosures: ['view'] })).toBe(167);
    expect(codeOf([{ $out: 'x' }], [], { enclosures: ['transaction'] })).toBe(263);
    expect(codeOf([{ $changeStream: {} }, { $group: { _id: 1 } }])).toBe(20);
    expect(codeOf([{ $match: {} }, { $changeStreamSplitLargeEvent: {} }])).toBe(20);
    expect(aggregate([{ $changeStream: {} }, { $changeStreamSplitLargeEvent: {} }])).toHaveLength(1);
  });

  test('on no collection has to begin with a stage that needs none', () => {
    const namespace = { db: 'db' };
    expect(codeOf([{ $match: {} }], [], { namespace })).toBe(73);
    expect(codeOf([], [], { namespace })).toBe(73);
    expect(codeOf([{ $currentOp: {} }], [], { namespace })).toBe(73);
    expect(aggregate([{ $currentOp: {} }], [], { namespace: { db: 'admin' } })).toEqual(['{ source: "$currentOp" }']);
    expect(aggregate([{ $documents: [{ a: 1 }] }, { $set: { b: 2n } }], [], { namespace })).toEqual([
      '{ a: int 1, b: long 2 }',
    ]);
  });

  test('gives its leading match, sort, skip and limit to the planner', () => {
    const stages = [{ $match: { a: 1 } }, { $match: { b: 1 } }, { $sort: { c: -1 } }, { $limit: 5 }, { $skip: 2 }];
    const { leading, count } = splitPipeline([...stages, { $project: { a: 1 } }].map(value));
    expect(count).toBe(5);
    expect(show(leading.filter)).toBe('{ $and: [{ a: int 1 }, { b: int 1 }] }');
    expect(show(leading.sort)).toBe('{ c: int -1 }');
    expect(leading).toMatchObject({ skip: 2, limit: 3 });
    const host = new MemoryHost({ c: [{ a: 1 }, { a: 2 }] });
    expect(aggregate([{ $match: { a: 2 } }, { $set: { b: 1 } }], host)).toEqual(['{ a: int 2, b: int 1 }']);
    expect(host.reads).toHaveLength(1);
    expect(show(host.reads[0]?.filter)).toBe('{ a: int 2 }');
  });

  test('reads no more documents than it needs', () => {
    const read: number[] = [];
    const host = new MemoryHost();
    host.read = function* () {
      for (let i = 0; ; i++) {
        read.push(i);
        yield doc({ i });
      }
    };
    expect(aggregate([{ $set: { a: 1 } }, { $limit: 2 }], host)).toHaveLength(2);
    expect(read).toEqual([0, 1]);
  });

  test('that fails says whether it did so on constants or on a document', () => {
    const divide = (by: unknown) => errorOf(() => aggregate([{ $set: { a: { $divide: [1, by] } } }], [{ b: 0 }]));
    expect(divide(0)).toEqual([16608, "Failed to optimize pipeline :: caused by :: can't $divide by zero"]);
    expect(divide('$b')).toEqual([
      16608,
      "PlanExecutor error during aggregation :: caused by :: can't $divide by zero",
    ]);
  });

  test('tells where it writes', () => {
    const target = (stage: object) => pipelineWrites([value(stage)], { db: 'db', coll: 'c' });
    expect(target({ $out: 'x' })).toEqual({ db: 'db', coll: 'x' });
    expect(target({ $merge: { into: { db: 'other', coll: 'x' } } })).toEqual({ db: 'other', coll: 'x' });
    expect(target({ $match: {} })).toBeUndefined();
  });

  test('is interrupted between documents', () => {
    const interrupt = () => {
      throw new Error('interrupted');
    };
    const run = () => interruptible(interrupt, () => aggregate([{ $group: { _id: 1 } }], [{}]));
    expect(run).toThrow('interrupted');
  });
});

describe('an update by pipeline', () => {
  test('changes a document, and takes only stages that can', () => {
    const stages = [{ $set: { b: { $add: ['$a', 1] } } }, { $unset: 'a' }].map(value);
    expect(show(compilePipelineUpdate(stages, plainEnv())(doc({ _id: 1, a: 1n })))).toBe('{ _id: int 1, b: long 2 }');
    expect(errorOf(() => compilePipelineUpdate([value({ $match: {} })], plainEnv()))).toEqual([
      72,
      '$match is not allowed to be used within an update',
    ]);
  });
});
