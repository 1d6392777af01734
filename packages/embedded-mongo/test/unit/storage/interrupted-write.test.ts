import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { interruptible, spend } from '../../../src/bson/work.js';
import type { Collection } from '../../../src/storage/collection.js';
import { Storage } from '../../../src/storage/storage.js';
import { bytesFrom, collectionOf, createIndex, find, inUnit, insertAll, type Plain } from './fixture.js';

const arrayOf = (length: number, from: number): Plain[] =>
  Array.from({ length }, (_, i) => ({ x: (from + i) % 701, y: `text ${i}` }));

/** What every index says of every record, in its order. */
const keysOf = (collection: Collection): string[] =>
  collection.indexes.list().map(({ spec, tree }) => {
    const pairs: string[] = [];
    const cursor = tree.range(undefined, undefined);
    while (cursor.next()) pairs.push(`${JSON.stringify(cursor.key)}:${cursor.id}`);
    return `${spec.name} ${pairs.join()}`;
  });

const interrupt = (): never => {
  throw new Error('interrupted');
};

describe('a write that is interrupted, wherever that is', () => {
  test.each<[string, Plain, Plain[]]>([
    ['without a collation', {}, [{ a: 1 }, { 'a.x': 1, b: -1 }, { '$**': 1 }]],
    ['with a collation', { collation: { locale: 'en', strength: 2 } }, [{ a: 1 }, { 'a.x': 1, b: -1 }]],
  ])('leaves records and indexes as they were: %s', (_title, options, indexes) => {
    const worked = fc.tuple(fc.nat(30), fc.nat(8000));
    fc.assert(
      fc.property(worked, ([looksAllowed, before]) => {
        const storage = new Storage();
        const collection = collectionOf(storage, options);
        for (const key of indexes) createIndex(storage, collection, key);
        const ids = insertAll(storage, collection, [
          { _id: 1, a: arrayOf(100, 0), b: 1 },
          { _id: 2, a: arrayOf(100, 50), b: 2 },
        ]);
        const keys = keysOf(collection);
        let looks = 0;
        const write = (): void =>
          inUnit(storage, (unit) => {
            spend(before);
            unit.update(collection, ids[0]!, bytesFrom({ _id: 1, a: arrayOf(200, 90), b: 3 }));
            unit.insert(collection, bytesFrom({ _id: 3, a: arrayOf(100, 7), b: 4 }));
            unit.remove(collection, ids[1]!);
          });
        try {
          interruptible(() => looks++ < looksAllowed || interrupt(), write);
        } catch (error) {
          expect((error as Error).message).toBe('interrupted');
          expect(keysOf(collection).every((each, i) => each === keys[i])).toBe(true);
          expect(find(collection, { b: { $gt: 0 } })).toEqual(['1', '2']);
          return;
        }
        expect(find(collection, { b: { $gt: 0 } })).toEqual(['1', '3']);
      }),
      { numRuns: 40 },
    );
  });
});
