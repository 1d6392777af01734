import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Int32 } from 'bson';
import { parseCollation } from '../../../src/bson/collation.js';
import type { Doc } from '../../../src/bson/value.js';
import { plainEnv } from '../../../src/query/env.js';
import type { Collection } from '../../../src/storage/collection.js';
import { planQuery } from '../../../src/storage/plan/planner.js';
import { LATEST } from '../../../src/storage/read-view.js';
import { Storage } from '../../../src/storage/storage.js';
import { bytesFrom, collectionOf, createIndex, docFrom, find, inUnit, insertAll, plan, type Plain } from './fixture.js';

const plainOf = (value: unknown): unknown => {
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, each]) => [name, plainOf(each)]));
  if (Array.isArray(value)) return value.map(plainOf);
  return value instanceof Int32 ? value.value : value;
};

describe('planQuery', () => {
  let storage: Storage;
  let collection: Collection;

  beforeEach(() => {
    storage = new Storage();
    collection = collectionOf(storage);
    insertAll(
      storage,
      collection,
      Array.from({ length: 50 }, (_, i) => ({ _id: i, a: i % 10, b: i, tags: [`t${i % 3}`, 'all'] })),
    );
    createIndex(storage, collection, { a: 1, b: -1 });
  });
  afterEach(() => storage.close());

  const winner = (filter: Plain, rest: Parameters<typeof plan>[2] = {}): Plain =>
    plainOf(plan(collection, filter, rest).queryPlannerDoc().get('winningPlan')) as Plain;
  const stats = (filter: Plain): Plain => plainOf(plan(collection, filter).executionStatsDoc(LATEST)) as Plain;

  describe('of an index whose fields lead through arrays', () => {
    const nested = (filter: Plain): unknown => (winner(filter)['inputStage'] as Plain)['indexBounds'];

    beforeEach(() => {
      insertAll(storage, collection, [{ _id: 50, x: [{ y: [0, 2], z: 1 }] }]);
      createIndex(storage, collection, { 'x.y': 1, 'x.z': 1 });
    });

    it('narrows a field by one condition of an $elemMatch when arrays within its elements may fulfil each other one', () => {
      const filter = { x: { $elemMatch: { y: { $gte: 1, $lte: 1 } } } };
      expect(find(collection, filter)).toEqual(['50']);
      expect(nested(filter)).toEqual({ 'x.y': ['[1, inf.0]'], 'x.z': ['[MinKey, MaxKey]'] });
    });

    it('narrows two fields by the conditions of one $elemMatch, and only the first without one', () => {
      expect(nested({ x: { $elemMatch: { y: 2, z: 1 } } })).toEqual({ 'x.y': ['[2, 2]'], 'x.z': ['[1, 1]'] });
      expect(nested({ 'x.y': 2, 'x.z': 1 })).toEqual({ 'x.y': ['[2, 2]'], 'x.z': ['[MinKey, MaxKey]'] });
    });

    it('tells in explain which parts of the paths are arrays', () => {
      expect((winner({ 'x.y': 2 })['inputStage'] as Plain)['multiKeyPaths']).toEqual({
        'x.y': ['x', 'x.y'],
        'x.z': ['x'],
      });
    });
  });

  it('reads a range of the index, with its bounds in explain, and no more keys than it must', () => {
    expect(winner({ a: 3, b: { $gt: 10, $lte: 33 } })).toEqual({
      stage: 'FETCH',
      inputStage: {
        stage: 'IXSCAN',
        keyPattern: { a: 1, b: -1 },
        indexName: 'a_1_b_-1',
        isMultiKey: false,
        multiKeyPaths: { a: [], b: [] },
        isUnique: false,
        isSparse: false,
        isPartial: false,
        indexVersion: 2,
        direction: 'forward',
        indexBounds: { a: ['[3, 3]'], b: ['[33, 10)'] },
      },
    });
    expect(stats({ a: 3, b: { $gt: 10, $lte: 33 } })).toMatchObject({
      nReturned: 3,
      totalKeysExamined: 3,
      totalDocsExamined: 3,
    });
  });

  it('looks an _id up at once, and scans the collection when no index helps', () => {
    expect(winner({ _id: 7 })).toEqual({ stage: 'IDHACK' });
    expect(stats({ _id: 7 })).toMatchObject({ nReturned: 1, totalDocsExamined: 1 });
    expect(winner({ b: 7 })).toEqual({ stage: 'COLLSCAN', filter: { b: 7 }, direction: 'forward' });
    expect(stats({ b: 7 })).toMatchObject({ nReturned: 1, totalKeysExamined: 0, totalDocsExamined: 50 });
  });

  it('sorts by the index in either direction, and by itself only when it must', () => {
    const order = (sort: Plain) => winner({}, { sort: docFrom(sort) });
    expect(order({ a: -1, b: 1 })).toMatchObject({ stage: 'FETCH', inputStage: { direction: 'backward' } });
    expect(order({ a: 1 })).toMatchObject({ stage: 'FETCH', inputStage: { direction: 'forward' } });
    expect(order({ a: 1, b: 1 })).toMatchObject({ stage: 'SORT', sortPattern: { a: 1, b: 1 } });
    expect(winner({ a: 2 }, { sort: docFrom({ b: 1 }), skip: 1, limit: 2 })).toMatchObject({
      stage: 'LIMIT',
      inputStage: { stage: 'SKIP', inputStage: { stage: 'FETCH', inputStage: { direction: 'backward' } } },
    });
    const page = plan(collection, { a: 2 }, { sort: docFrom({ b: 1 }), skip: 1, limit: 2 });
    expect([...page.run(LATEST)].map(({ doc }) => plainOf(doc.get('b')))).toEqual([12, 22]);
  });

  it('refuses an order that is none, even where no sort is made', () => {
    expect(() => winner({ _id: 1 }, { sort: docFrom({ a: 'up' }) })).toThrow(/Illegal key/);
  });

  it('takes the clauses of an $or each from its index', () => {
    expect(winner({ $or: [{ a: 1 }, { _id: 4 }] })).toMatchObject({ stage: 'FETCH', inputStage: { stage: 'OR' } });
    expect(find(collection, { $or: [{ a: 1 }, { _id: 4 }, { _id: 11 }] })).toHaveLength(6);
  });

  it('chooses the index with fewer keys and lists the other as rejected', () => {
    createIndex(storage, collection, { b: 1 });
    const query = plan(collection, { a: 3, b: 13 });
    const planner = plainOf(query.queryPlannerDoc()) as { rejectedPlans: Plain[] };
    expect(planner.rejectedPlans).toHaveLength(1);
    expect(find(collection, { a: 3, b: 13 })).toEqual(['13']);
  });

  it('obeys a hint by name, by key and by $natural, and refuses one that names no index', () => {
    expect(winner({}, { hint: 'a_1_b_-1' })).toMatchObject({ inputStage: { stage: 'IXSCAN' } });
    expect(winner({}, { hint: docFrom({ a: 1, b: -1 }) })).toMatchObject({ inputStage: { stage: 'IXSCAN' } });
    expect(winner({ a: 1 }, { hint: docFrom({ $natural: -1 }) })).toMatchObject({
      stage: 'COLLSCAN',
      direction: 'backward',
    });
    expect(() => winner({}, { hint: 'b_1' })).toThrow(
      'error processing query: ns=shop.orders planner returned error :: caused by :: hint provided does not correspond to an existing index',
    );
  });

  it('reads from min up to max of the hinted index', () => {
    createIndex(storage, collection, { b: 1 });
    const query = plan(collection, {}, { hint: docFrom({ b: 1 }), min: docFrom({ b: 3 }), max: docFrom({ b: 6 }) });
    expect([...query.run(LATEST)].map(({ doc }) => plainOf(doc.get('b')))).toEqual([3, 4, 5]);
    expect(() => plan(collection, {}, { min: docFrom({ b: 3 }) })).toThrow(/hint of which index to use/);
  });

  it('does not use a hidden index, a sparse one that lacks documents, nor a partial one the filter does not imply', () => {
    createIndex(storage, collection, { b: 1 }, { hidden: true });
    createIndex(storage, collection, { c: 1 }, { sparse: true });
    createIndex(storage, collection, { tags: 1 }, { partialFilterExpression: { b: { $gte: 25 } } });
    expect(winner({ b: 1 })).toMatchObject({ stage: 'COLLSCAN' });
    expect(winner({ c: null })).toMatchObject({ stage: 'COLLSCAN' });
    expect(winner({ c: 1 })).toMatchObject({ inputStage: { indexName: 'c_1' } });
    expect(winner({ tags: 't1' })).toMatchObject({ stage: 'COLLSCAN' });
    expect(winner({ tags: 't1', b: { $gt: 30 } })).toMatchObject({
      inputStage: { indexName: 'tags_1', isPartial: true },
    });
  });

  it('uses a compound wildcard index by its fields and a path', () => {
    createIndex(storage, collection, { kind: 1, 'attributes.$**': 1 });
    insertAll(storage, collection, [
      { _id: 'x', kind: 'car', attributes: { color: 'red', doors: 4 } },
      { _id: 'y', kind: 'car', attributes: { color: 'blue' } },
      { _id: 'z', kind: 'car' },
    ]);
    expect(winner({ kind: 'car', 'attributes.color': 'red' })).toMatchObject({
      stage: 'FETCH',
      inputStage: {
        stage: 'IXSCAN',
        keyPattern: { kind: 1, $_path: 1, 'attributes.color': 1 },
        indexBounds: {
          kind: ['["car", "car"]'],
          $_path: ['["attributes.color", "attributes.color"]'],
          'attributes.color': ['["red", "red"]'],
        },
      },
    });
    expect(find(collection, { kind: 'car', 'attributes.color': 'red' })).toEqual(['x']);
    expect(plan(collection, { kind: 'car' }).summary).toBe('IXSCAN');
    expect(find(collection, { kind: 'car' }).sort()).toEqual(['x', 'y', 'z']);
    expect(winner({ 'attributes.color': 'red' })).toMatchObject({ stage: 'COLLSCAN' });
  });

  it('compares strings by an index only under its collation', () => {
    const collation = parseCollation(docFrom({ locale: 'en', strength: 2 }))!;
    createIndex(storage, collection, { name: 1 }, { collation: { locale: 'en', strength: 2 } });
    insertAll(storage, collection, [{ _id: 'x', name: 'Ada' }]);
    expect(winner({ name: 'ada' })).toMatchObject({ stage: 'COLLSCAN' });
    const query = plan(collection, { name: 'ada' }, {}, { ...plainEnv(), collation });
    expect(query.summary).toBe('IXSCAN');
    expect([...query.run(LATEST)]).toHaveLength(1);
  });

  it('goes on after writes in between, and ends with an error when the collection is dropped', () => {
    const matches = plan(collection, { a: { $gte: 0 } }).run(LATEST);
    const first = matches.next().value!;
    inUnit(storage, (unit) => {
      unit.remove(collection, first.id);
      unit.insert(collection, bytesFrom({ _id: 'late', a: 9, b: -1 }));
    });
    const rest = [...take(matches, 30)];
    expect(rest).toHaveLength(30);
    inUnit(storage, (unit) => storage.catalog.drop(unit, collection.ns));
    expect(() => matches.next()).toThrow(/collection dropped/);
  });

  it('reads the index alone where it has all that a query is about', () => {
    const projection = docFrom({ a: 1, b: 1, _id: 0 });
    const query = plan(collection, { a: 3, b: { $mod: [20, 3] } }, { projection, sort: docFrom({ b: 1 }) });
    expect(plainOf(query.executionStatsDoc(LATEST))).toMatchObject({
      nReturned: 3,
      totalKeysExamined: 5,
      totalDocsExamined: 0,
      executionStages: {
        stage: 'PROJECTION_COVERED',
        transformBy: { a: 1, b: 1, _id: 0 },
        inputStage: { stage: 'IXSCAN', filter: { a: 3, b: { $mod: [20, 3] } } },
      },
    });
    expect(winner({ a: 3 }, { projection: docFrom({ a: 1 }) })).toMatchObject({
      stage: 'PROJECTION_SIMPLE',
      inputStage: { stage: 'FETCH' },
    });
    expect(winner({ a: 3 }, { projection: docFrom({ 'tags.x': 1 }), limit: 1 })).toMatchObject({
      stage: 'LIMIT',
      inputStage: { stage: 'PROJECTION_DEFAULT' },
    });
  });

  it('counts keys, and all documents without reading any', () => {
    const counted = (filter: Plain, rest: Parameters<typeof plan>[2] = {}): Plain =>
      plainOf(plan(collection, filter, { ...rest, isCount: true }).executionStatsDoc(LATEST)) as Plain;
    expect(counted({ a: 3, b: { $gt: 10 } }, { skip: 1, limit: 2 })).toMatchObject({
      nReturned: 0,
      totalKeysExamined: 3,
      totalDocsExamined: 0,
      executionStages: {
        stage: 'COUNT',
        nCounted: 2,
        nSkipped: 1,
        inputStage: { stage: 'COUNT_SCAN', indexBounds: { startKeyInclusive: false, endKeyInclusive: true } },
      },
    });
    expect(counted({ a: 3 })).toMatchObject({ totalKeysExamined: 6, executionStages: { nCounted: 5 } });
    expect(counted({ a: { $in: [1, 3] } })).toMatchObject({
      totalDocsExamined: 0,
      executionStages: { nCounted: 10, inputStage: { stage: 'IXSCAN' } },
    });
    expect(counted({})).toMatchObject({ executionStages: { stage: 'RECORD_STORE_FAST_COUNT', nCounted: 50 } });
    expect(counted({ tags: 't1' })).toMatchObject({ executionStages: { inputStage: { stage: 'COLLSCAN' } } });
  });

  it('counts the elements of arrays by their keys, each document once', () => {
    createIndex(storage, collection, { tags: 1 });
    const query = plan(collection, { tags: { $gte: 'a' } }, { isCount: true });
    expect(query.count(LATEST)).toBe(50);
    expect(query.summary).toBe('COUNT_SCAN');
  });

  it('reads one key for each distinct value', () => {
    const distinct = plan(collection, { a: { $gte: 3 } }, { distinctKey: 'a' });
    expect(plainOf(distinct.executionStatsDoc(LATEST))).toMatchObject({
      nReturned: 7,
      totalKeysExamined: 7,
      totalDocsExamined: 0,
      executionStages: { stage: 'PROJECTION_COVERED', inputStage: { stage: 'DISTINCT_SCAN', indexName: 'a_1_b_-1' } },
    });
    expect(winner({ b: 1 }, { distinctKey: 'a' })).toMatchObject({ stage: 'COLLSCAN' });
    expect(winner({ a: 1 }, { distinctKey: 'b' })).toMatchObject({ inputStage: { stage: 'DISTINCT_SCAN' } });
  });

  it('reads no distinct values from a partial index that may lack some', () => {
    createIndex(storage, collection, { c: 1 }, { partialFilterExpression: { c: { $gt: 20 } } });
    const distinct = { distinctKey: 'c' };
    expect(winner({ c: { $gte: 0 } }, distinct)).toMatchObject({ stage: 'COLLSCAN' });
    expect(winner({ c: { $gt: 30 } }, distinct)).toMatchObject({ inputStage: { stage: 'DISTINCT_SCAN' } });
  });

  it('merges the scans of several points where each gives the order, and reads no more than the limit needs', () => {
    const query = plan(collection, { a: { $in: [1, 4, 7] } }, { sort: docFrom({ b: 1 }), limit: 4 });
    expect(plainOf(query.executionStatsDoc(LATEST))).toMatchObject({
      nReturned: 4,
      totalDocsExamined: 4,
      executionStages: {
        inputStage: { stage: 'FETCH', inputStage: { stage: 'SORT_MERGE', sortPattern: { b: 1 } } },
      },
    });
    const again = plan(collection, { a: { $in: [1, 4, 7] } }, { sort: docFrom({ b: 1 }), limit: 4 });
    expect([...again.run(LATEST)].map(({ doc }) => plainOf(doc.get('b')))).toEqual([1, 4, 7, 11]);
    createIndex(storage, collection, { b: 1 });
    const clauses = { $or: [{ a: 2 }, { b: { $gt: 45 } }] };
    expect(winner(clauses, { sort: docFrom({ b: 1 }) })).toMatchObject({ inputStage: { stage: 'SORT_MERGE' } });
  });

  it('finds nothing in a collection that does not exist, but still checks the filter', () => {
    expect([...planNothing({ a: 1 })]).toEqual([]);
    expect(() => planNothing({ a: { $nope: 1 } })).toThrow(/\$nope/);
  });
});

function* take<T>(items: Iterator<T>, count: number): Generator<T> {
  for (let i = 0; i < count; i++) yield items.next().value as T;
}

const planNothing = (filter: Plain): Iterable<unknown> =>
  planQuery(undefined, { filter: docFrom(filter) as Doc }, plainEnv()).run(LATEST);
