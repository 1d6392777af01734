import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LATEST } from '../../../src/storage/read-view.js';
import type { Snapshot } from '../../../src/storage/snapshot.js';
import { Storage } from '../../../src/storage/storage.js';
import { WriteConflict } from '../../../src/storage/write-conflict.js';
import type { WriteUnit } from '../../../src/storage/write-unit.js';
import { bytesFrom, collectionOf, createIndex, NS, plan } from './fixture.js';

type State = Map<number, number>;

interface Open {
  readonly unit: WriteUnit;
  readonly state: State;
  readonly written: Set<number>;
}

/** Serial model: committed states by name, and for each open transaction the state it sees. */
const step = fc.record({
  who: fc.integer({ min: 0, max: 3 }),
  what: fc.constantFrom('begin', 'put', 'put', 'put', 'remove', 'commit', 'abort', 'plain', 'snapshot'),
  key: fc.integer({ min: 0, max: 5 }),
  value: fc.integer({ min: 0, max: 3 }),
});

const sorted = (state: State): [number, number][] => [...state].sort((a, b) => a[0] - b[0]);

describe('WriteUnit', () => {
  it('gives concurrent transactions and snapshots what a serial model gives them, by scan and by index', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 120 }), (steps) => {
        const storage = new Storage();
        const collection = collectionOf(storage);
        createIndex(storage, collection, { v: 1 });
        let committed: State = new Map();
        const lastWrite = new Map<number, number>();
        const open = new Map<number, Open & { since: number }>();
        const snapshots: { snapshot: Snapshot; state: State }[] = [];
        let time = 0;

        const idOf = (view: WriteUnit, key: number): number | undefined =>
          [...plan(collection, { _id: key }).run(view)][0]?.id;
        const put = (unit: WriteUnit, key: number, value: number | undefined): void => {
          const id = idOf(unit, key);
          if (value === undefined) {
            if (id !== undefined) unit.remove(collection, id);
          } else if (id === undefined) unit.insert(collection, bytesFrom({ _id: key, v: value }));
          else unit.update(collection, id, bytesFrom({ _id: key, v: value }));
        };
        const read = (view: WriteUnit | Snapshot | typeof LATEST): [number, number][] => {
          const scanned = [...collection.scan(view)].length;
          const found = [...plan(collection, { v: { $gte: 0 } }).run(view)].map(
            ({ doc }) => [Number(doc.get('_id')), Number(doc.get('v'))] as [number, number],
          );
          expect(found).toHaveLength(scanned);
          return found.sort((a, b) => a[0] - b[0]);
        };

        for (const { who, what, key, value } of steps) {
          const mine = open.get(who);
          if (what === 'begin' && !mine) {
            open.set(who, {
              unit: storage.beginTransaction(),
              state: new Map(committed),
              written: new Set(),
              since: time,
            });
          } else if ((what === 'put' || what === 'remove') && mine) {
            const next = what === 'put' ? value : undefined;
            const isNoop = next === undefined && !mine.state.has(key);
            const others = [...open.values()].filter((other) => other !== mine && other.written.has(key));
            const isLate = (lastWrite.get(key) ?? -1) > mine.since;
            if (!isNoop && (others.length > 0 || isLate)) {
              expect(() => put(mine.unit, key, next)).toThrow(WriteConflict);
              mine.unit.abort();
              open.delete(who);
            } else if (!isNoop) {
              put(mine.unit, key, next);
              mine.written.add(key);
              if (next === undefined) mine.state.delete(key);
              else mine.state.set(key, next);
            }
          } else if (what === 'commit' && mine) {
            mine.unit.commit();
            open.delete(who);
            committed = new Map(committed);
            time++;
            for (const each of mine.written) {
              lastWrite.set(each, time);
              if (mine.state.has(each)) committed.set(each, mine.state.get(each)!);
              else committed.delete(each);
            }
          } else if (what === 'abort' && mine) {
            mine.unit.abort();
            open.delete(who);
          } else if (what === 'plain') {
            const unit = storage.beginWrite();
            if ([...open.values()].some((other) => other.written.has(key))) {
              expect(() => put(unit, key, value)).toThrow(WriteConflict);
              unit.abort();
            } else {
              put(unit, key, value);
              unit.commit();
              committed = new Map(committed).set(key, value);
              lastWrite.set(key, ++time);
            }
          } else if (what === 'snapshot') {
            if (snapshots.length > 3) snapshots.shift()!.snapshot.release();
            snapshots.push({ snapshot: storage.snapshot(), state: committed });
          }
          expect(read(LATEST)).toEqual(sorted(committed));
          for (const { unit, state } of open.values()) expect(read(unit)).toEqual(sorted(state));
          for (const { snapshot, state } of snapshots) expect(read(snapshot)).toEqual(sorted(state));
          expect(collection.count).toBe(committed.size);
        }
        for (const { unit } of open.values()) unit.abort();
        expect(storage.catalog.collection(NS, LATEST)).toBe(collection);
      }),
      { numRuns: 150 },
    );
  });
});
