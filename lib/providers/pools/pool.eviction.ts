import type { PoolState } from '../../polymongo.types.js';
import type { ConnectionBudget } from './connection.budget.js';
import type { DatabasePool } from './database.pool.js';

/**
 * Closes pools when somebody waits for the budget: no more than it takes, with those that are closing anyway. First the
 * least recently used without a lease; when all are busy, those open longest of them that will be free soon.
 */
export class PoolEviction {
  /** Those with sockets, in the order in which they were opened. */
  readonly #open = new Set<DatabasePool>();
  /** Their work did not end in time. They are asked again when it has. */
  readonly #spared = new Set<DatabasePool>();

  constructor(readonly budget: ConnectionBudget) {}

  /** A pool has come from one state into another. */
  moved(pool: DatabasePool, from: PoolState): void {
    if (pool.state === 'closed') this.#open.delete(pool);
    if (pool.state !== 'connected') return;
    this.#open.add(pool);
    if (from === 'draining') void this.#spare(pool);
    else this.makeRoom();
  }

  makeRoom(): void {
    let missing = this.budget.missing;
    if (missing <= 0) return;
    for (const pool of this.#open) if (pool.isClosing) missing -= pool.config.maxConnections;
    while (missing > 0) {
      const pool = this.#leastRecentlyUsed() ?? this.#freeSoon();
      if (!pool) return;
      missing -= pool.config.maxConnections;
      void pool.close('evicted', 'patient');
    }
  }

  #leastRecentlyUsed(): DatabasePool | undefined {
    let least: DatabasePool | undefined;
    for (const pool of this.#open) {
      const isFree = pool.leaseCount === 0 && !pool.isClosing;
      if (isFree && (!least || pool.idleRank < least.idleRank)) least = pool;
    }
    return least;
  }

  #freeSoon(): DatabasePool | undefined {
    for (const pool of this.#open) if (!pool.isClosing && !pool.hasLongLease && !this.#spared.has(pool)) return pool;
    return undefined;
  }

  /** Lets a pool serve on until the work that it is closed too early for has ended, whatever has begun since. */
  async #spare(pool: DatabasePool): Promise<void> {
    this.#spared.add(pool);
    const ended = pool.leasesOf().map((lease) => lease.whenReleased());
    await pool.whenClosed(); // it has given up
    this.makeRoom();
    await Promise.all(ended);
    this.#spared.delete(pool);
    this.makeRoom();
  }
}
