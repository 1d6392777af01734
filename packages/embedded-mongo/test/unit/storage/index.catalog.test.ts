import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CommandError } from '../../../src/errors.js';
import type { Collection } from '../../../src/storage/collection.js';
import { Storage } from '../../../src/storage/storage.js';
import { WriteConflict } from '../../../src/storage/write-conflict.js';
import { bytesFrom, collectionOf, createIndex, docFrom, find, inUnit, insertAll, type Plain } from './fixture.js';

const errorOf = (work: () => unknown): CommandError => {
  try {
    work();
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown');
};

describe('IndexCatalog', () => {
  let storage: Storage;
  let collection: Collection;
  beforeEach(() => {
    storage = new Storage();
    collection = collectionOf(storage);
  });
  afterEach(() => storage.close());

  const names = (): string[] => collection.indexes.list().map(({ spec }) => spec.name);

  it('has an index on _id from the start, and makes the same index only once', () => {
    expect(createIndex(storage, collection, { a: 1 })).toHaveLength(1);
    expect(createIndex(storage, collection, { a: 1 })).toHaveLength(0);
    expect(names()).toEqual(['_id_', 'a_1']);
  });

  it.each<[string, Plain, Plain, string]>([
    ['other options under the same name', { a: 1 }, { expireAfterSeconds: 9 }, 'IndexOptionsConflict'],
    ['another name', { a: 1 }, { name: 'other' }, 'IndexOptionsConflict'],
    ['another uniqueness under the same name', { a: 1 }, { unique: true }, 'IndexKeySpecsConflict'],
    ['another key under the same name', { b: 1 }, { name: 'a_1' }, 'IndexKeySpecsConflict'],
    ['an empty key', {}, {}, 'CannotCreateIndex'],
    ['a direction of 0', { c: 0 }, {}, 'CannotCreateIndex'],
    ['an unknown plugin', { c: 'nope' }, {}, 'CannotCreateIndex'],
    ['sparse with a partial filter', { c: 1 }, { sparse: true, partialFilterExpression: {} }, 'CannotCreateIndex'],
    ['an unknown option', { c: 1 }, { nope: 1 }, 'InvalidIndexSpecificationOption'],
    ['a TTL of a compound index', { c: 1, d: 1 }, { expireAfterSeconds: 1 }, 'CannotCreateIndex'],
  ])('refuses %s', (_, key, options, code) => {
    createIndex(storage, collection, { a: 1 });
    expect(errorOf(() => createIndex(storage, collection, key, options)).codeName).toBe(code);
    expect(names()).toEqual(['_id_', 'a_1']);
  });

  it('refuses duplicates with the key pattern and value, and leaves nothing of the refused document', () => {
    createIndex(storage, collection, { a: 1 });
    createIndex(storage, collection, { 'a.b': 1, c: 1 }, { unique: true });
    insertAll(storage, collection, [{ _id: 1, a: { b: 'x' }, c: 2 }]);
    const error = errorOf(() => insertAll(storage, collection, [{ _id: 2, a: [{ b: 'y' }, { b: 'x' }], c: 2 }]));
    expect(error.code).toBe(11000);
    expect(error.message).toBe(
      'E11000 duplicate key error collection: shop.orders index: a.b_1_c_1 dup key: { a.b: "x", c: 2 }',
    );
    expect(error.extra).toEqual({ keyPattern: docFrom({ 'a.b': 1, c: 1 }), keyValue: docFrom({ 'a.b': 'x', c: 2 }) });
    expect(find(collection, { a: { b: 'y' } })).toEqual([]);
    expect(collection.indexes.list().map(({ tree }) => tree.size)).toEqual([1, 1, 1]);
  });

  it('lets a unit go on after a refused document', () => {
    inUnit(storage, (unit) => {
      unit.insert(collection, bytesFrom({ _id: 1 }));
      expect(() => unit.insert(collection, bytesFrom({ _id: 1 }))).toThrow(/E11000/);
      unit.insert(collection, bytesFrom({ _id: 2 }));
    });
    expect(find(collection, {})).toEqual(['1', '2']);
  });

  it('does not build a unique index over duplicates', () => {
    insertAll(storage, collection, [{ _id: 1, a: 1 }, { _id: 2, a: 1 }]); // prettier-ignore
    expect(errorOf(() => createIndex(storage, collection, { a: 1 }, { unique: true })).code).toBe(11000);
    expect(names()).toEqual(['_id_']);
  });

  it('frees a unique key with its document, within one unit and across', () => {
    createIndex(storage, collection, { a: 1 }, { unique: true });
    const [id] = insertAll(storage, collection, [{ _id: 1, a: 1 }]);
    const snapshot = storage.snapshot();
    inUnit(storage, (unit) => {
      unit.remove(collection, id!);
      unit.insert(collection, bytesFrom({ _id: 1, a: 1 }));
    });
    expect(find(collection, { a: 1 })).toHaveLength(1);
    expect(find(collection, { a: 1 }, snapshot)).toHaveLength(1);
    snapshot.release();
  });

  it('makes a writer wait that wants a unique key which a transaction is writing', () => {
    createIndex(storage, collection, { a: 1 }, { unique: true });
    const transaction = storage.beginTransaction();
    transaction.insert(collection, bytesFrom({ _id: 1, a: 1 }));
    const error = errorOf(() => insertAll(storage, collection, [{ _id: 2, a: 1 }]));
    expect(error).toBeInstanceOf(WriteConflict);
    expect((error as WriteConflict).blockedBy).toBeInstanceOf(Promise);
    transaction.abort();
    insertAll(storage, collection, [{ _id: 2, a: 1 }]);
  });

  it('refuses parallel arrays and arrays in a hashed index', () => {
    createIndex(storage, collection, { a: 1, b: 1 });
    createIndex(storage, collection, { h: 'hashed' });
    expect(errorOf(() => insertAll(storage, collection, [{ _id: 1, a: [1], b: [2] }])).code).toBe(171);
    expect(errorOf(() => insertAll(storage, collection, [{ _id: 1, h: [1] }])).code).toBe(16766);
  });

  it('drops by name, by key and all but _id; an abort brings them back in their order', () => {
    for (const key of [{ a: 1 }, { b: 1 }, { c: 1 }]) createIndex(storage, collection, key);
    const unit = storage.beginWrite();
    collection.indexes.drop(unit, 'a_1');
    collection.indexes.drop(unit, docFrom({ b: 1 }));
    expect(names()).toEqual(['_id_', 'c_1']);
    unit.abort();
    expect(names()).toEqual(['_id_', 'a_1', 'b_1', 'c_1']);
    inUnit(storage, (each) => collection.indexes.drop(each, '*'));
    expect(names()).toEqual(['_id_']);
    expect(errorOf(() => inUnit(storage, (each) => collection.indexes.drop(each, 'a_1'))).code).toBe(27);
    expect(errorOf(() => inUnit(storage, (each) => collection.indexes.drop(each, '_id_'))).code).toBe(72);
  });

  it('keeps no key of superseded states once the history is pruned', () => {
    createIndex(storage, collection, { a: 1 });
    const [id] = insertAll(storage, collection, [{ _id: 1, a: 0 }]);
    for (let a = 1; a < 12_000; a++) {
      inUnit(storage, (unit) => unit.update(collection, id!, bytesFrom({ _id: 1, a })));
    }
    expect(collection.indexes.get('a_1')!.tree.size).toBeLessThan(6_000);
    expect(find(collection, { a: { $lt: 11_999 } })).toEqual([]);
    expect(find(collection, { a: 11_999 })).toEqual(['1']);
  });
});
