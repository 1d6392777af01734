import type { Connection, mongo } from 'mongoose';
import type { PolyMongoEvents } from '../../polymongo.events.js';
import type { DatabasePool } from '../pools/database.pool.js';
import { within } from '../pools/deadline.js';
import { PolyMongoClosedError } from '../pools/pool.errors.js';
import {
  currentLease,
  operationOf,
  settling,
  type LeaseKind,
  type LeaseUser,
  type PoolLease,
} from '../pools/pool.lease.js';
import { PoolShare } from '../pools/pool.share.js';
import type { CommandStep } from '../pools/pool.turns.js';
import { DatabaseContents } from './database.contents.js';
import type { DatabaseEquipment, OpenStream } from './database.equipment.js';
import type { OperationObserver, OperationObservers } from './operation.observers.js';
import { Place } from './recency.ring.js';
import { clock } from '../../polymongo.clock.js';

/** A mongoose connection whose client, state and collections are those of the pool that serves its database. */
export type DatabaseConnection = Connection & { readonly database: Database };

/** What a database needs of the registry it belongs to. */
export interface DatabaseHost {
  readonly isShuttingDown: boolean;
  readonly events: PolyMongoEvents;
  readonly operations: OperationObservers;
  /** Makes the connection of a database; it asks the database for its pool each time. */
  connect(database: Database): DatabaseConnection;
  /** Work begins on the database while its pool is open; the first time connect hooks run. */
  onWork(database: Database): void;
  /** The last lease on the database ended, or the last long one. */
  onFreed(database: Database): void;
  /** Connect hooks have run and disconnect hooks have not ended. */
  isAnnounced(database: Database): boolean;
  /** The connection of another database. */
  connectionOf(dbName: string): DatabaseConnection;
}

/**
 * One database: its name, a mongoose connection to it, and the way to run work on it. It stays good when its pool
 * is closed, opened again or replaced, so whatever holds it (a model somebody kept) keeps working.
 */
export class Database implements LeaseUser {
  readonly connection: DatabaseConnection;
  /** Where the registry has it among those that it may let go. */
  readonly place = new Place<Database>(this);
  /** What it has of its pool's sockets. */
  readonly share = new PoolShare();
  /** The change streams on it that are not closed. */
  readonly streams = new Set<OpenStream>();
  #pool: DatabasePool;
  #equipment: DatabaseEquipment<Database> = {};
  #contents = new DatabaseContents();
  #lastWorkAt: number | undefined;
  #lookers = 0;
  #leaseCount = 0;
  #longLeaseCount = 0;
  #suspension: { over: Promise<void>; end: () => void } | undefined;
  #whenFree: (() => void) | undefined;

  /** @param pool the one that serves it at first */
  constructor(
    readonly name: string,
    readonly host: DatabaseHost,
    pool: DatabasePool,
  ) {
    this.#pool = pool;
    this.connection = host.connect(this);
  }

  get events(): PolyMongoEvents {
    return this.host.events;
  }

  /** Who looks at its calls, if anybody does. */
  get observer(): OperationObserver | undefined {
    return this.host.operations.all;
  }

  /** The pool that serves it now; another one after its configuration changed. */
  get pool(): DatabasePool {
    return this.#pool;
  }

  /** The driver's own database, for what can name no other one and must be sent as it is; under a lease of the caller. */
  get native(): mongo.Db {
    return this.#pool.client.db(this.name);
  }

  /** From now on another pool serves it, maybe on another cluster. */
  moveTo(pool: DatabasePool): void {
    this.#pool = pool;
    this.forgetContents();
  }

  /** What is put before its work. */
  get equipment(): DatabaseEquipment<Database> {
    return this.#equipment;
  }

  /** Puts more before its work. */
  equip(equipment: DatabaseEquipment<Database>): void {
    this.#equipment = { ...this.#equipment, ...equipment };
  }

  /** Connect hooks have run and disconnect hooks have not ended. */
  get isAnnounced(): boolean {
    return this.host.isAnnounced(this);
  }

  /** What was made on the server: another object when that is not there any more. */
  get contents(): DatabaseContents {
    return this.#contents;
  }

  forgetContents(): void {
    this.#contents = new DatabaseContents();
  }

  /** When work last began on its open pool, in ms since 1970; undefined before the first. */
  get lastWorkAt(): number | undefined {
    return this.#lastWorkAt;
  }

  /** Runs what only looks at the database: {@link lastWorkAt} takes no notice of what begins meanwhile. */
  async lookedAt<T>(fn: () => Promise<T>): Promise<T> {
    this.#lookers++;
    try {
      return await fn();
    } finally {
      this.#lookers--;
    }
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
    if (this.#leaseCount === 0 || (kind === 'long' && this.#longLeaseCount === 0)) this.host.onFreed(this);
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
    return this.#withLease(kind, (lease) => lease.during(fn));
  }

  /**
   * As {@link run}, for work of which a part is done at once: it begins while the pool is being opened, and the calls inside
   * it wait for that one attempt, and fail with it.
   */
  begin<T>(fn: () => Promise<T>): Promise<T> {
    const admission = this.#admission();
    const outer = this.#outerLease();
    const opening = !admission && (outer ? outer.opening : this.#mayOpen() && this.#pool.open());
    if (!opening) return this.#enterAfter(admission, 'operation', (inner) => inner.during(fn));
    const lease = (outer?.pool ?? this.#pool).lease('operation', this);
    lease.opening = opening.then(() => {
      lease.opening = undefined;
      this.#workBegins();
    });
    lease.opening.catch(() => {}); // the calls inside fail with it
    return under(lease, () => lease.during(fn));
  }

  /**
   * As {@link run}, for work that starts no further calls: what a collection or cursor sends. Inside of a call that {@link run}
   * began it is part of that call, under its lease, and nothing is asked again.
   */
  hold<T>(work: (lease: PoolLease) => Promise<T>): Promise<T> {
    const call = operationOf(this);
    if (!call) return this.#withLease('operation', work);
    return call.opening ? call.opening.then(() => call.share(work)) : call.share(work);
  }

  /**
   * Sends one command, under a lease that the caller holds: at once while its pool has a free socket, else in the database's
   * turn.
   * @throws PoolQueueTimeoutError, PoolClosedInQueueError; TenantOverloadedError
   */
  send<T>(command: () => Promise<T>, step: CommandStep = 'call', signal?: AbortSignal): Promise<T> {
    return this.#pool.send(this.share, step, command, signal);
  }

  /**
   * Takes a lease on the open pool. The caller releases it.
   * @param abort called when the pool is closed by force meanwhile
   * @throws PolyMongoClosedError during shutdown; PoolConnectError; ConnectionBudgetError
   */
  async enter(kind: LeaseKind, abort?: () => void): Promise<PoolLease> {
    const admission = this.#equipment.gate?.pass();
    if (admission) await admission;
    return this.#enterAdmitted(kind, abort);
  }

  /** On an open pool it costs one promise. */
  #withLease<T>(kind: LeaseKind, work: (lease: PoolLease) => Promise<T>): Promise<T> {
    return this.#enterAfter(this.#admission(), kind, work);
  }

  /** What its gate answers: undefined where work may begin. */
  #admission(): Promise<void> | undefined {
    try {
      return this.#equipment.gate?.pass();
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  #enterAfter<T>(
    admission: Promise<void> | undefined,
    kind: LeaseKind,
    work: (lease: PoolLease) => Promise<T>,
  ): Promise<T> {
    let entry: PoolLease | Promise<PoolLease>;
    try {
      entry = admission
        ? admission.then(() => this.#enterAdmitted(kind))
        : (this.#tryEnter(kind) ?? this.#enterAdmitted(kind));
    } catch (error) {
      return Promise.reject(error as Error);
    }
    return entry instanceof Promise ? entry.then((lease) => under(lease, work)) : under(entry, work);
  }

  async #enterAdmitted(kind: LeaseKind, abort?: () => void): Promise<PoolLease> {
    for (;;) {
      const ready = this.#tryEnter(kind, abort);
      if (ready) return ready;
      const opening = this.#outerLease()?.opening;
      if (opening) {
        await opening;
        continue;
      }
      const pool = this.#pool;
      if (this.#suspension || pool.isClosing) {
        await (this.#suspension?.over ?? pool.whenClosed());
        await this.#equipment.gate?.pass(); // it may have been shut meanwhile
        continue;
      }
      const lease = pool.lease(kind, this, abort);
      try {
        await pool.open();
        this.#workBegins();
        return lease;
      } catch (error) {
        lease.release();
        throw error;
      }
    }
  }

  #tryEnter(kind: LeaseKind, abort?: () => void): PoolLease | undefined {
    const pool = this.#pool;
    if (this.host.isShuttingDown || this.#suspension || pool.state !== 'connected') {
      const outer = this.#outerLease();
      if (outer) return outer.opening ? undefined : outer.pool.lease(kind, this, abort);
      if (this.host.isShuttingDown) throw new PolyMongoClosedError(this.name);
      return undefined;
    }
    this.#workBegins();
    return pool.lease(kind, this, abort);
  }

  /** It is not open, and nothing keeps it from being opened. */
  #mayOpen(): boolean {
    const pool = this.#pool;
    return pool.state !== 'connected' && !pool.isClosing && !this.#suspension && !this.host.isShuttingDown;
  }

  /** What the call that goes on now was let in by. */
  #outerLease(): PoolLease | undefined {
    return currentLease((lease) => lease.user === this || lease.pool === this.#pool);
  }

  #workBegins(): void {
    if (this.#lookers === 0) this.#lastWorkAt = clock.now();
    this.host.onWork(this);
  }
}

const under = <T>(lease: PoolLease, work: (lease: PoolLease) => Promise<T>): Promise<T> =>
  settling(
    () => work(lease),
    () => lease.release(),
  );
