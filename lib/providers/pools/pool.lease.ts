import type { mongo } from 'mongoose';
import type { PoolConfig } from '../../polymongo.pool-options.js';
import type { PoolState } from '../../polymongo.types.js';
import { ContextVariable } from '../sessions/context.variable.js';
import { currentWork } from '../sessions/current.work.js';

/** `operation`: ends with one call. `long`: a cursor, session, stream or task, which may stay open for hours. */
export type LeaseKind = 'operation' | 'long';

/** Somebody who hears of the leases taken on its behalf. */
export interface LeaseUser {
  leaseStarted(kind: LeaseKind): void;
  leaseEnded(kind: LeaseKind): void;
}

/** The pool of a lease, as those who hold it see it. */
export interface LeasedPool {
  readonly name: string;
  readonly config: PoolConfig;
  readonly state: PoolState;
  /** What all pools of one root have in common. */
  readonly host: object;
  /** Connected while somebody holds a lease. */
  readonly client: mongo.MongoClient;
  /** Takes another lease. */
  lease(kind: LeaseKind, user?: LeaseUser, abort?: (reason?: Error) => void): PoolLease;
  /** Called by {@link PoolLease.release} alone. */
  endLease(lease: PoolLease): void;
}

/** Keeps a pool open. Whoever takes one gives it back, once. */
export class PoolLease {
  /** Set while the work under it has begun and the pool is still being opened. */
  opening: Promise<void> | undefined;
  #holders = 1;
  #isGivenBack = false;
  #onReleased: (() => void)[] | undefined;

  /**
   * @param user the database on whose behalf it was taken
   * @param abort called when the work under this lease is to end: by an error, or else because the pool is closed by force
   */
  constructor(
    readonly pool: LeasedPool,
    readonly kind: LeaseKind,
    readonly user?: LeaseUser,
    readonly abort?: (reason?: Error) => void,
  ) {
    user?.leaseStarted(kind);
  }

  /** Nobody holds it any more. */
  get isReleased(): boolean {
    return this.#holders === 0;
  }

  /** Gives the lease back; again does nothing. It ends when nobody {@link share}s it any more. */
  release(): void {
    if (this.#isGivenBack) return;
    this.#isGivenBack = true;
    this.#drop();
  }

  /** Holds it for what is part of the same call, until that has settled. */
  share<T>(work: (lease: PoolLease) => Promise<T>): Promise<T> {
    this.#holders++;
    return settling(
      () => work(this),
      () => this.#drop(),
    );
  }

  /** Resolves when it has been given back. */
  async whenReleased(): Promise<void> {
    if (!this.isReleased) await new Promise<void>((resolve) => (this.#onReleased ??= []).push(resolve));
  }

  /** Runs `fn` under this lease, so that calls made inside it still count as started while the pool drains. */
  during<T>(fn: () => T): T {
    return context.run({ work: currentWork(), held: { lease: this, outer: heldLeases() } }, fn);
  }

  #drop(): void {
    if (--this.#holders > 0) return;
    this.pool.endLease(this);
    this.user?.leaseEnded(this.kind);
    for (const tell of this.#onReleased ?? []) tell();
  }
}

/**
 * Calls `end` when `work` has settled, before anybody who waits for it goes on. What it gives has that one listener: V8 follows
 * no promise of two back to who called.
 */
export function settling<T>(work: () => Promise<T>, end: () => void): Promise<T> {
  let result: Promise<T>;
  try {
    result = Promise.resolve(work());
  } catch (error) {
    result = Promise.reject(error as Error);
  }
  return result.then(
    (value) => {
      end();
      return value;
    },
    (error: unknown) => {
      end();
      throw error;
    },
  );
}

interface HeldLease {
  readonly lease: PoolLease;
  readonly outer: HeldLease | undefined;
}

interface LeaseContext {
  /** For which they are held: they let nobody else in. */
  readonly work: object | undefined;
  readonly held: HeldLease | undefined;
}

const context = new ContextVariable<LeaseContext>();

function heldLeases(): HeldLease | undefined {
  const around = context.get();
  return around && around.work === currentWork() ? around.held : undefined;
}

/** Has something run under the leases held around the current call, wherever it runs. */
export function captureLeases(): <T>(fn: () => T) => T {
  const held = heldLeases();
  return (fn) => context.run(held && { work: currentWork(), held }, fn);
}

/** The lease held around the current call that `matches`, if any. */
export function currentLease(matches: (lease: PoolLease) => boolean): PoolLease | undefined {
  for (let at = heldLeases(); at; at = at.outer) {
    if (!at.lease.isReleased && matches(at.lease)) return at.lease;
  }
  return undefined;
}

/** The operation around the current call that is on behalf of `user`, and is still under way. */
export function operationOf(user: LeaseUser): PoolLease | undefined {
  for (let at = heldLeases(); at; at = at.outer) {
    const { lease } = at;
    if (lease.user === user && lease.kind === 'operation' && !lease.isReleased) return lease;
  }
  return undefined;
}
