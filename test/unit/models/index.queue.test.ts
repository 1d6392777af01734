import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { IndexQueues } from '../../../lib/providers/models/index.queue.js';
import type { DatabasePool } from '../../../lib/providers/pools/database.pool.js';
import { mulberry32 } from '../../support/random.js';
import { printedSeed } from '../../support/seed.js';

const SEEDS = Number(process.env.POLYMONGO_SEEDS ?? 200);
const FIRST_SEED = printedSeed('queues of index builds');
const PATIENCE_MS = 1_000;
const MOST = 4;

/** One pool's queue with builds that end when they are told to, and what it has to keep to. */
class Observed {
  readonly #queue;
  #made = 0;
  #started = 0;
  /** Those that run and have not been left behind. */
  #counted = new Set<number>();
  readonly running = new Map<number, (error?: Error) => void>();

  constructor(queues: IndexQueues) {
    this.#queue = queues.of({ config: { waitQueueTimeoutMS: PATIENCE_MS } } as DatabasePool);
  }

  get waiting(): number {
    return this.#made - this.#started;
  }

  arrive(): void {
    const n = this.#made++;
    const build = () => {
      expect(n).toBe(this.#started++); // first come, first served
      this.#counted.add(n);
      return new Promise<void>((resolve, reject) =>
        this.running.set(n, (error) => (error ? reject(error) : resolve())),
      );
    };
    this.#queue.run(build).catch(() => {});
  }

  end(pick: number, error?: Error): void {
    const n = [...this.running.keys()][Math.floor(pick * this.running.size)];
    if (n === undefined) return;
    this.running.get(n)!(error);
    this.running.delete(n);
    this.#counted.delete(n);
  }

  /** Nothing has ended for as long as anybody waits. */
  async loseTime(): Promise<void> {
    const [left, goes] = [this.waiting > 0 ? new Set(this.running.keys()) : new Set<number>(), this.waiting];
    const before = this.#started;
    await jest.advanceTimersByTimeAsync(PATIENCE_MS);
    expect(this.#started - before).toBe(goes);
    for (const n of left) this.#counted.delete(n);
  }

  check(): void {
    if (this.waiting > 0) expect(this.#counted.size).toBeGreaterThanOrEqual(MOST);
  }
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('the queues of index builds', () => {
  it('let four builds of a pool run at a time, and those of other pools past them', async () => {
    const queues = new IndexQueues();
    const [sick, healthy] = [new Observed(queues), new Observed(queues)];
    for (let i = 0; i < 10; i++) sick.arrive();
    healthy.arrive();
    await jest.advanceTimersByTimeAsync(0);
    expect(sick.running.size).toBe(MOST);
    expect(healthy.running.size).toBe(1);
  });

  it('let those that wait go ahead when no build has ended for as long as calls wait for a socket', async () => {
    const pool = new Observed(new IndexQueues());
    for (let i = 0; i < 10; i++) pool.arrive();
    await jest.advanceTimersByTimeAsync(PATIENCE_MS - 1);
    pool.end(0);
    await jest.advanceTimersByTimeAsync(PATIENCE_MS - 1);
    expect(pool.waiting).toBe(5);
    await jest.advanceTimersByTimeAsync(1);
    expect(pool.waiting).toBe(0);
  });

  it(`keep this whatever comes, ends, fails or hangs in whatever order (seeds ${FIRST_SEED} to ${FIRST_SEED + SEEDS - 1}, POLYMONGO_SEED)`, async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const random = mulberry32(seed);
      const queues = new IndexQueues();
      const pools = Array.from({ length: 3 }, () => new Observed(queues));
      try {
        for (let step = 0; step < 60; step++) {
          const pool = pools[Math.floor(random() * pools.length)]!;
          const dice = random();
          if (dice < 0.55) pool.arrive();
          else if (dice < 0.85) pool.end(random());
          else if (dice < 0.95) pool.end(random(), new Error('no index'));
          else await Promise.all(pools.map((each) => each.loseTime()));
          await jest.advanceTimersByTimeAsync(0);
          for (const each of pools) each.check();
        }
      } catch (cause) {
        throw new Error(`seed ${seed} (alone: POLYMONGO_SEED=${seed} POLYMONGO_SEEDS=1)`, { cause });
      }
    }
  });
});
