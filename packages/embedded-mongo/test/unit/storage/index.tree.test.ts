import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { IndexTree } from '../../../src/storage/index.tree.js';
import type { TreeCursor } from '../../../src/storage/index.tree-cursor.js';

const byNumber = (a: number, b: number): number => a - b;

const walk = (cursor: TreeCursor<number>): [number, number][] => {
  const pairs: [number, number][] = [];
  while (cursor.next()) pairs.push([cursor.key, cursor.id]);
  return pairs;
};

describe('IndexTree', () => {
  it('holds the same pairs as a sorted list, in every range and both directions', () => {
    const step = fc.tuple(
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: 0, max: 400 }),
      fc.integer({ min: 1, max: 5 }),
    );
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 200, maxLength: 2000 }),
        fc.integer({ min: 0, max: 400 }),
        (steps, middle) => {
          const tree = new IndexTree<number>(byNumber);
          const model = new Map<string, [number, number]>();
          for (const [kind, key, id] of steps) {
            const name = `${key}/${id}`;
            if (kind < 6) {
              expect(tree.insert(key, id)).toBe(!model.has(name));
              model.set(name, [key, id]);
            } else expect(tree.delete(key, id)).toBe(model.delete(name));
          }
          const sorted = [...model.values()].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
          expect(tree.size).toBe(sorted.length);
          expect(walk(tree.range(undefined, undefined))).toEqual(sorted);
          expect(walk(tree.range(middle, undefined))).toEqual(sorted.filter(([key]) => key >= middle));
          expect(walk(tree.range(middle, middle + 50, true))).toEqual(
            sorted.filter(([key]) => key >= middle && key < middle + 50).reverse(),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('empties and fills again', () => {
    const tree = new IndexTree<number>(byNumber);
    for (let round = 0; round < 2; round++) {
      for (let key = 0; key < 5000; key++) tree.insert(key, 1);
      for (let key = 0; key < 5000; key++) tree.delete(key, 1);
      expect(walk(tree.range(undefined, undefined))).toEqual([]);
    }
  });

  it('goes on behind the last pair when the tree changes during a walk', () => {
    const tree = new IndexTree<number>(byNumber);
    for (let key = 0; key < 500; key++) tree.insert(key * 2, 1);
    const cursor = tree.range(undefined, undefined);
    const seen: number[] = [];
    while (cursor.next()) {
      seen.push(cursor.key);
      tree.delete(cursor.key, 1);
      if (cursor.key === 100) tree.insert(101, 1);
    }
    expect(seen).toHaveLength(501);
    expect(seen).toContain(101);
    expect(tree.size).toBe(0);
  });

  it('grows at its end again after it has lost its last pairs, its first or all', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('grow', 'pop', 'shift'), fc.integer({ min: 1, max: 200 })), {
          minLength: 5,
          maxLength: 40,
        }),
        (steps) => {
          const tree = new IndexTree<number>(byNumber);
          const model: number[] = [];
          let last = 0;
          for (const [kind, count] of steps) {
            for (let i = 0; i < count; i++) {
              if (kind === 'grow') {
                model.push(++last);
                tree.insert(last, last);
              } else {
                const gone = kind === 'pop' ? model.pop() : model.shift();
                if (gone !== undefined) tree.delete(gone, gone);
              }
            }
            expect(walk(tree.range(undefined, undefined)).map(([key]) => key)).toEqual(model);
            expect(walk(tree.range(undefined, undefined, true)).map(([key]) => key)).toEqual([...model].reverse());
            expect(tree.isBehindAll(last + 1)).toBe(true);
            expect(tree.isBehindAll(model.at(-1) ?? -1)).toBe(model.length === 0);
          }
        },
      ),
    );
  });
});
