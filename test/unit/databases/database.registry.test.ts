import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { PolyMongoEvents } from '../../../lib/polymongo.events.js';
import { Database, type DatabaseConnection } from '../../../lib/providers/databases/database.js';
import { DatabaseRegistry } from '../../../lib/providers/databases/database.registry.js';
import { OperationObservers } from '../../../lib/providers/databases/operation.observers.js';
import type { DatabasePool } from '../../../lib/providers/pools/database.pool.js';

const PINNED = 'main';
const SEED = Number(process.env.POLYMONGO_SEED ?? Math.floor(Math.random() * 1e9));

/** A registry whose databases are leased by hand, and what it let go, in order. */
function create(max: number, separate: readonly string[] = []) {
  const own = new Set(separate);
  const released: string[] = [];
  let visits = 0;
  const pool = { state: 'connected' } as DatabasePool;
  const registry: DatabaseRegistry = new DatabaseRegistry(
    {
      isShuttingDown: false,
      events: new PolyMongoEvents(),
      operations: new OperationObservers(),
      poolOf: () => pool,
      connect: (database) => ({ database }) as DatabaseConnection,
      connectionOf: (name) => registry.get(name).connection,
      isAnnounced: () => false,
      onWork: (database) => registry.touch(database),
      onFreed: (database) => registry.freed(database),
      isSeparate(name) {
        visits++;
        return own.has(name);
      },
      release: async (name) => {
        released.push(name);
        registry.letGo(registry.get(name));
      },
    },
    PINNED,
    max,
  );
  const begin = (name: string) => {
    const database = registry.get(name);
    registry.touch(database);
    database.leaseStarted('operation');
    return () => database.leaseEnded('operation');
  };
  return { registry, released, begin, use: (name: string) => begin(name)(), visits: () => visits };
}

afterEach(() => void jest.restoreAllMocks());

describe('the databases that are kept', () => {
  it.each([10, 1_000])('cost the same to trim at a miss, however many there are: %s', (max) => {
    const { registry, released, use, visits } = create(max);
    for (let i = 0; i < max; i++) use(`old_${i}`);
    const leaseCount = jest.spyOn(Database.prototype, 'leaseCount', 'get');
    const before = visits();
    for (let i = 0; i < 10; i++) registry.get(`new_${i}`);
    expect(released).toHaveLength(10);
    expect(visits() - before + leaseCount.mock.calls.length).toBeLessThanOrEqual(10 * 8);
  });

  it(`are those used last, in whatever order they are used and busy (POLYMONGO_SEED=${SEED})`, () => {
    const names = Array.from({ length: 9 }, (_, i) => `d${i}`);
    const step = fc.record({
      name: fc.constantFrom(PINNED, ...names),
      act: fc.constantFrom('use', 'begin', 'end'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.subarray(names, { maxLength: 2 }), (steps, separate) => {
        const max = 4;
        const { registry, released, begin } = create(max, separate);
        const model = new RecentDatabases(max, separate);
        const ends = new Map<string, (() => void)[]>();
        for (const { name, act } of steps) {
          if (act === 'end') {
            const end = ends.get(name)?.pop();
            if (!end) continue;
            end();
            model.end(name);
          } else {
            const end = begin(name);
            model.begin(name);
            if (act === 'begin') ends.set(name, [...(ends.get(name) ?? []), end]);
            else {
              end();
              model.end(name);
            }
          }
          expect([...registry.cached.keys()].sort()).toEqual(model.names);
        }
        expect(released).toEqual(model.released);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});

/** The same said plainly: a list, sorted and searched at every step. */
class RecentDatabases {
  readonly released: string[] = [];
  readonly #kept: { name: string; leases: number; freedAt: number }[] = [];
  #now = 0;

  constructor(
    readonly max: number,
    readonly separate: readonly string[],
  ) {}

  get names(): string[] {
    return this.#kept.map(({ name }) => name).sort();
  }

  get(name: string) {
    let entry = this.#kept.find((kept) => kept.name === name);
    if (!entry) {
      entry = { name, leases: 0, freedAt: Infinity };
      this.#kept.push(entry);
      this.#trim();
      entry.freedAt = ++this.#now;
    }
    return entry;
  }

  begin(name: string): void {
    this.get(name).leases++;
  }

  end(name: string): void {
    const entry = this.get(name);
    entry.freedAt = ++this.#now;
    if (--entry.leases === 0) this.#trim();
  }

  #trim(): void {
    const shared = this.#kept.filter(({ name }) => !this.separate.includes(name));
    const free = shared
      .filter(({ name, leases, freedAt }) => leases === 0 && name !== PINNED && freedAt !== Infinity)
      .sort((a, b) => a.freedAt - b.freedAt);
    for (const entry of free.slice(0, Math.max(0, shared.length - this.max))) {
      this.released.push(entry.name);
      this.#kept.splice(this.#kept.indexOf(entry), 1);
    }
  }
}
