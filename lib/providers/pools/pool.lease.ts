import { AsyncLocalStorage } from 'node:async_hooks';
import type { DatabasePool } from './database.pool.js';

/** `operation`: ends with one call. `long`: a cursor, session, stream or task, which may stay open for hours. */
export type LeaseKind = 'operation' | 'long';

/** Somebody who counts the leases taken on its behalf. */
export interface LeaseUser {
  leaseCount: number;
}

/** Keeps a pool open. Whoever takes one gives it back, once. */
export class PoolLease {
  #isReleased = false;

  /**
   * @param user the database on whose behalf it was taken
   * @param abort called when the pool is closed by force under this lease
   */
  constructor(
    readonly pool: DatabasePool,
    readonly kind: LeaseKind,
    readonly user?: LeaseUser,
    readonly abort?: () => void,
  ) {
    if (user) user.leaseCount++;
  }

  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** Gives the lease back; again does nothing. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    if (this.user) this.user.leaseCount--;
    this.pool.endLease(this);
  }

  /** Runs `fn` under this lease, so that calls made inside it still count as started while the pool drains. */
  during<T>(fn: () => T): T {
    return context.run({ lease: this, outer: context.getStore() }, fn);
  }
}

interface LeaseContext {
  lease: PoolLease;
  outer: LeaseContext | undefined;
}

const context = new AsyncLocalStorage<LeaseContext>();

/** The lease held around the current call on a pool that serves this database, if any. */
export function currentLease(serves: (pool: DatabasePool) => boolean): PoolLease | undefined {
  for (let at = context.getStore(); at; at = at.outer) {
    if (!at.lease.isReleased && serves(at.lease.pool)) return at.lease;
  }
  return undefined;
}
