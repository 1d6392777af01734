import type { PolyMongoEvents } from '../../polymongo.events.js';
import { PolyMongoClosedError } from '../pools/pool.errors.js';
import type { DatabaseConnection } from '../connections/database.connection.js';
import { createDatabaseConnection } from '../connections/database.connection.js';
import { DatabaseContents, type CollectionPreparation } from './database.contents.js';
import type { DatabasePool } from '../pools/database.pool.js';
import { within } from '../pools/deadline.js';
import { currentLease, type LeaseKind, type LeaseUser, type PoolLease } from '../pools/pool.lease.js';
import type { Mongoose, mongo } from 'mongoose';

/** What a database needs of the registry it belongs to. */
export interface DatabaseHost {
  readonly isShuttingDown: boolean;
  readonly events: PolyMongoEvents;
  /** The pool that serves a database now; another one after its configuration changed. */
  poolOf(dbName: string): DatabasePool;
  /** Work begins on the database while its pool is open; the first time connect hooks run. */
  touch(database: Database): void;
  /** The last lease on the database ended, or the last long one. */
  onDatabaseFreed(database: Database): void;
  /** The connection of another database. */
  connectionOf(dbName: string): DatabaseConnection;
  /** The database whose pool a client belongs to. */
  nameOfClient(client: mongo.MongoClient): string | undefined;
}

/** Stands before a database and says whether work may begin on it. */
export interface DatabaseGate {
  /** Undefined: it may. A promise: the work waits for it, and fails with it. */
  pass(): Promise<void> | undefined;
  /** For what cannot wait. @throws when it is not known yet on which pool the database is */
  assertPassed(): void;
}

/** A change stream in the books of its database; it leaves them when it ends. */
export interface OpenStream {
  /** On the whole cluster, not on this database alone. */
  readonly isClusterWide?: boolean;
  close(): Promise<void>;
}

/**
 * One database: its name, a mongoose connection to it, and the way to run work on it. It stays good when its pool
 * is closed, opened again or replaced, so whatever holds it (a model somebody kept) keeps working.
 */
export class Database implements LeaseUser {
  readonly connection: DatabaseConnection;
  /** `announced`: connect hooks have run and disconnect hooks have not; `leaving`: those are running. */
  announcement: 'none' | 'announced' | 'leaving' = 'none';
  /** The registry knows it. One that was let go is taken in again when it is used. */
  isCached = true;
  /** For choosing the least recently used; larger is later. */
  lastUse = 0;
  /** When work last began on it, in ms since 1970. */
  lastAccessed: number | undefined;
  gate: DatabaseGate | undefined;
  preparation: CollectionPreparation | undefined;
  /** Its aggregations may name no other database. */
  isConfined = false;
  /** The change streams on it that are not closed. */
  readonly streams = new Set<OpenStream>();
  #contents = new DatabaseContents();
  #leaseCount = 0;
  #longLeaseCount = 0;
  #suspension: { over: Promise<void>; end: () => void } | undefined;
  #whenFree: (() => void) | undefined;

  constructor(
    readonly name: string,
    readonly host: DatabaseHost,
    base: Mongoose,
  ) {
    this.connection = createDatabaseConnection(base, this);
  }

  get events(): PolyMongoEvents {
    return this.host.events;
  }

  get pool(): DatabasePool {
    return this.host.poolOf(this.name);
  }

  /** Connect hooks have run and disconnect hooks have not ended. */
  get isAnnounced(): boolean {
    return this.announcement !== 'none';
  }

  /** What was made on the server: another object when that is not there any more. */
  get contents(): DatabaseContents {
    return this.#contents;
  }

  forgetContents(): void {
    this.#contents = new DatabaseContents();
  }

  /** Operations, cursors, streams and tasks under way on it. */
  get leaseCount(): number {
    return this.#leaseCount;
  }

  leaseStarted(kind: LeaseKind): void {
    this.#leaseCount++;
    if (kind === 'long') this.#longLeaseCount++;
  }

  leaseEnded(kind: LeaseKind): void {
    this.#leaseCount--;
    if (kind === 'long') this.#longLeaseCount--;
    if (this.#leaseCount === 0) this.#whenFree?.();
    if (this.#leaseCount === 0 || (kind === 'long' && this.#longLeaseCount === 0)) this.host.onDatabaseFreed(this);
  }

  /** Lets new work wait until {@link resume}; what is under way goes on. */
  suspend(): void {
    if (this.#suspension) return;
    let end = () => {};
    const over = new Promise<void>((resolve) => (end = resolve));
    this.#suspension = { over, end };
  }

  resume(): void {
    this.#suspension?.end();
    this.#suspension = undefined;
  }

  /** Waits for the work that is under way, no longer than `timeoutMS`; says whether it has ended. */
  async drain(timeoutMS: number): Promise<boolean> {
    if (this.#leaseCount === 0) return true;
    const isFree = await within(timeoutMS, new Promise<void>((resolve) => (this.#whenFree = resolve)));
    this.#whenFree = undefined;
    return isFree;
  }

  /** Runs `fn` with the pool open, and keeps it open until the returned promise settles. */
  run<T>(fn: () => Promise<T>, kind: LeaseKind = 'operation'): Promise<T> {
    return this.hold((lease) => lease.during(fn), kind);
  }

  /**
   * As {@link run}, for work that starts no further calls. Every operation of a model comes through here: on an open
   * pool it costs one promise.
   */
  hold<T>(work: (lease: PoolLease) => Promise<T>, kind: LeaseKind = 'operation'): Promise<T> {
    let entry: PoolLease | Promise<PoolLease>;
    try {
      const admission = this.gate?.pass();
      entry = admission
        ? admission.then(() => this.#enterAdmitted(kind))
        : (this.#tryEnter(kind) ?? this.#enterAdmitted(kind));
    } catch (error) {
      return Promise.reject(error as Error);
    }
    return entry instanceof Promise ? entry.then((lease) => underLease(lease, work)) : underLease(entry, work);
  }

  /**
   * Takes a lease on the open pool. The caller releases it.
   * @param abort called when the pool is closed by force meanwhile
   * @throws PolyMongoClosedError during shutdown; PoolConnectError; ConnectionBudgetError
   */
  async enter(kind: LeaseKind, abort?: () => void): Promise<PoolLease> {
    const admission = this.gate?.pass();
    if (admission) await admission;
    return this.#enterAdmitted(kind, abort);
  }

  async #enterAdmitted(kind: LeaseKind, abort?: () => void): Promise<PoolLease> {
    for (;;) {
      const ready = this.#tryEnter(kind, abort);
      if (ready) return ready;
      const { pool } = this;
      if (this.#suspension || pool.isClosing) {
        await (this.#suspension?.over ?? pool.whenClosed());
        await this.gate?.pass(); // it may have been shut meanwhile
        continue;
      }
      const lease = pool.lease(kind, this, abort);
      try {
        await pool.open();
        this.host.touch(this);
        return lease;
      } catch (error) {
        lease.release();
        throw error;
      }
    }
  }

  #tryEnter(kind: LeaseKind, abort?: () => void): PoolLease | undefined {
    const { pool } = this;
    if (this.host.isShuttingDown || this.#suspension || pool.state !== 'connected') {
      const outer = currentLease((lease) => lease.user === this || lease.pool === pool);
      if (outer) return outer.pool.lease(kind, this, abort);
      if (this.host.isShuttingDown) throw new PolyMongoClosedError(this.name);
      return undefined;
    }
    this.host.touch(this);
    return pool.lease(kind, this, abort);
  }
}

function underLease<T>(lease: PoolLease, work: (lease: PoolLease) => Promise<T>): Promise<T> {
  let result: Promise<T>;
  try {
    result = Promise.resolve(work(lease));
  } catch (error) {
    result = Promise.reject(error as Error);
  }
  return result.then(
    (value) => {
      lease.release();
      return value;
    },
    (error: unknown) => {
      lease.release();
      throw error;
    },
  );
}
