import type { mongo } from 'mongoose';
import { PolyMongoClosedError, PoolClosedInQueueError } from './pool.errors.js';
import type { PolyMongoEvents } from '../../polymongo.events.js';
import type { RetryOptions } from '../../polymongo.options.js';
import type { PoolConfig } from '../../polymongo.pool-options.js';
import { showAsJSON } from '../../polymongo.secrets.js';
import type { PoolState } from '../../polymongo.types.js';
import type { ConnectionBudget } from './connection.budget.js';
import { IdleTimer } from './idle.timer.js';
import { PoolClient } from './pool.client.js';
import { PoolClosing, type CloseTimes, type CloseUrgency } from './pool.closing.js';
import { sendWithoutWait } from '../native/driver.private.js';
import { PoolLease, type LeaseKind, type LeaseUser } from './pool.lease.js';
import { assertTransition } from './pool-state.js';
import type { PoolStats } from './pool.statistics.js';
import type { PoolShare } from './pool.share.js';
import { PoolTurns, type CommandStep } from './pool.turns.js';
import { clock } from '../../polymongo.clock.js';

/** What a pool needs of the registry that made it. */
export interface PoolHost extends CloseTimes {
  readonly events: PolyMongoEvents;
  readonly budget: ConnectionBudget;
  readonly retry: Readonly<RetryOptions>;
  /** Resolves when everybody who uses the pool's databases knows that it is about to close. */
  beforeClose(pool: DatabasePool, reason: string): Promise<void>;
  /** A lease of the connected pool ended: the last one, or the last long one. */
  onFreed(): void;
  /** It has come from one state into another. */
  onMoved(pool: DatabasePool, from: PoolState): void;
  /** The database whose pool a client belongs to. */
  nameOfClient(client: mongo.MongoClient): string | undefined;
}

/** How often pools have become idle. */
let idleCount = 0;

/** One MongoClient with its sockets: opened by the first lease, kept open by leases, closed and opened again at will. */
export class DatabasePool {
  /** Who is served when there is no free socket. */
  readonly turns: PoolTurns;
  readonly #leases = new Set<PoolLease>();
  readonly #link: PoolClient;
  #state: PoolState = 'cold';
  #opening: Promise<void> | undefined;
  #abortOpening: AbortController | undefined;
  #closing: PoolClosing | undefined;
  readonly #idle: IdleTimer | undefined;
  #idleRank = 0;
  #lastLeaseAt: number | undefined;
  #failure: unknown;

  constructor(
    readonly config: PoolConfig,
    readonly host: PoolHost,
  ) {
    const onChange = () => host.events.emit('statistics', { pool: config.dbName });
    const link = (this.#link = new PoolClient(config, {
      onMade: (client) => host.events.emit('client', { pool: config.dbName, client }),
      onChange: () => {
        this.turns.look();
        onChange();
      },
      onDelay: (uri, reason) =>
        host.events.emit('connectDelayed', { pool: config.dbName, uri, ...(reason !== undefined && { reason }) }),
    }));
    this.turns = new PoolTurns({
      name: config.dbName,
      maxSockets: config.maxConnections,
      waitQueueTimeoutMS: config.waitQueueTimeoutMS,
      onChange,
      onTaken: (waitedMS) => host.events.emit('turnTaken', { pool: config.dbName, waitedMS }),
      get load() {
        return link.statistics.load;
      },
    });
    if (config.autoClose) this.#idle = new IdleTimer(config.ttl, () => void this.close('idle', 'patient'));
  }

  get name(): string {
    return this.config.dbName;
  }

  get state(): PoolState {
    return this.#state;
  }

  /** Neither open nor about to be. */
  get isAtRest(): boolean {
    return (this.#state === 'cold' || this.#state === 'closed') && !this.#opening && !this.#closing;
  }

  /** Connected, and the last word from the servers was that one is there. */
  get isReachable(): boolean {
    return this.#state === 'connected' && this.#link.isReachable;
  }

  /** What the last attempt to open it ended with; undefined when it has succeeded, or there was none. */
  get failure(): unknown {
    return this.#failure;
  }

  /** What the driver last heard from a server that does not answer, without secrets. */
  get refusal(): string | undefined {
    return this.#link.refusal;
  }

  get leaseCount(): number {
    return this.#leases.size;
  }

  /** The leases that are held now on behalf of somebody, or all. */
  leasesOf(user?: LeaseUser): PoolLease[] {
    return [...this.#leases].filter((lease) => !user || lease.user === user);
  }

  get hasLongLease(): boolean {
    for (const lease of this.#leases) if (lease.kind === 'long') return true;
    return false;
  }

  /** When the last lease was taken, in ms since 1970; undefined before the first. */
  get lastLeaseAt(): number | undefined {
    return this.#lastLeaseAt;
  }

  /** Which became idle earlier; larger is later. 0: it has never been used. */
  get idleRank(): number {
    return this.#idleRank;
  }

  /** The driver's client; made on first use, connected only by {@link open}. */
  get client(): mongo.MongoClient {
    return this.#link.client;
  }

  /** The client, if one was made; none is made for it. */
  get madeClient(): mongo.MongoClient | undefined {
    return this.#link.made;
  }

  get stats(): PoolStats {
    const { maxConnections, minConnections, idleTimeoutMS } = this.config;
    const { counts } = this.#link.statistics;
    return {
      ...counts,
      waitQueueSize: counts.waitQueueSize + this.turns.waiting,
      maxPoolSize: maxConnections,
      minPoolSize: minConnections,
      ...(idleTimeoutMS !== undefined && { maxIdleTimeMS: idleTimeoutMS }),
    };
  }

  /** What `console.log` and `JSON.stringify` show of it. */
  toJSON(): unknown {
    const { name, state, leaseCount, stats, config } = this;
    return { name, state, leaseCount, stats, config };
  }

  /**
   * Sends one command in the turn of its database. Where every command that is on its way finds a free socket, the driver need
   * not bound its wait for one; work that takes no turn can only be before it in the driver's queue.
   * @throws PoolQueueTimeoutError, PoolClosedInQueueError; the refusal of the database's terms
   */
  send<T>(share: PoolShare, step: CommandStep, command: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const send = () =>
      this.#link.statistics.hasFree(this.turns.inFlight) ? sendWithoutWait(this.#link.client, command) : command();
    return this.turns.during(share, step, send, signal);
  }

  /** Takes a lease; the pool is not necessarily open yet. */
  lease(kind: LeaseKind, user?: LeaseUser, abort?: (reason?: Error) => void): PoolLease {
    const lease = new PoolLease(this, kind, user, abort);
    this.#leases.add(lease);
    this.#idle?.pause();
    this.#lastLeaseAt = clock.now();
    return lease;
  }

  /** Ends what can be ended of a database's work: its cursors fail with `reason`, its streams close. */
  abortLeases(user: LeaseUser, reason: Error): void {
    for (const lease of [...this.#leases]) {
      if (lease.user !== user || !lease.abort) continue;
      lease.abort(reason);
      lease.release();
    }
  }

  /** Called by {@link PoolLease.release} alone. */
  endLease(lease: PoolLease): void {
    this.#leases.delete(lease);
    const isIdle = this.#leases.size === 0;
    if (isIdle) {
      this.#idleRank = ++idleCount;
      this.#closing?.wake();
    }
    if (this.#state !== 'connected') return;
    if (isIdle) this.#idle?.start();
    if (isIdle || (lease.kind === 'long' && !this.hasLongLease)) this.host.onFreed();
  }

  /**
   * Resolves when the pool is connected. Callers at the same time share one attempt.
   * @throws PoolConnectError, ConnectionBudgetError; PolyMongoClosedError when it is closed meanwhile
   */
  open(): Promise<void> {
    if (this.#state === 'connected') return Promise.resolve();
    return (this.#opening ??= this.#open().finally(() => (this.#opening = undefined)));
  }

  /**
   * Closes the sockets, as soon as no lease is left or `urgency` says. The pool can be opened again.
   * @param reason for hooks and logs
   * @returns whether it is closed; only a patient close can fail
   */
  async close(reason: string, urgency: CloseUrgency = 'deadline'): Promise<boolean> {
    let closing = this.#closing;
    if (closing) closing.urge(urgency);
    else {
      this.#closing = closing = new PoolClosing(reason, urgency, this.host);
      closing.start((started) => this.#close(started).finally(() => (this.#closing = undefined)));
    }
    const isClosed = await closing.done;
    // A patient close may have given up in the moment this more urgent call came.
    return isClosed || urgency === 'patient' ? isClosed : this.close(reason, urgency);
  }

  /** It is being closed; to open it, wait for {@link whenClosed}. */
  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  /** Resolves when a close that is under way is done. */
  async whenClosed(): Promise<void> {
    await this.#closing?.done;
  }

  async #open(): Promise<void> {
    this.#transition('connecting');
    const { signal } = (this.#abortOpening = new AbortController());
    const { maxConnections, waitQueueTimeoutMS } = this.config;
    try {
      await this.host.budget.reserve(this.name, maxConnections, waitQueueTimeoutMS, signal);
      try {
        await this.#link.connect(this.host.retry, signal);
      } catch (error) {
        this.host.budget.release(maxConnections);
        throw error;
      }
    } catch (error) {
      this.#failure = error;
      this.#transition('closed', 'connect failed');
      throw error;
    }
    this.#failure = undefined;
    this.#transition('connected');
    if (this.#leases.size === 0) this.#idle?.start();
  }

  async #close(closing: PoolClosing): Promise<boolean> {
    const { reason } = closing;
    if (!(await this.#endOpening(closing))) return false;
    if (this.#state === 'cold') {
      await this.#link.close(); // a client that was made is not to connect by itself
      this.#transition('closed', reason);
    }
    if (this.#state !== 'connected') return true;
    this.#idle?.stop();
    this.#transition('draining', reason);
    await closing.waitUntil(() => this.#leases.size === 0);
    if (this.#leases.size > 0 && closing.isPatient) {
      this.#transition('connected', 'still in use');
      return false;
    }
    const farewell = this.lease('operation');
    await closing.waitForFarewell(farewell.during(() => this.host.beforeClose(this, reason)));
    farewell.release();
    for (const lease of this.#leases) lease.abort?.();
    this.turns.refuseAll(() => new PoolClosedInQueueError(this.name));
    const { shutdownDeadline } = this.host;
    await this.#link.close(shutdownDeadline && Math.max(0, shutdownDeadline.endBy - clock.now()));
    this.#transition('closed', reason);
    this.host.budget.release(this.config.maxConnections);
    return true;
  }

  /** Lets an opening that is under way come to its end, or ends it. Says whether there is none any more. */
  async #endOpening(closing: PoolClosing): Promise<boolean> {
    if (!this.#opening) return true;
    const opening = this.#opening.catch(() => {}).then(() => closing.wake());
    await closing.waitUntil(() => this.#state !== 'connecting');
    if (this.#state !== 'connecting') return true;
    if (closing.isPatient) return false;
    this.#abortOpening?.abort(new PolyMongoClosedError(this.name));
    await opening;
    return true;
  }

  #transition(to: PoolState, reason?: string): void {
    const from = this.#state;
    assertTransition(this.name, from, to);
    this.#state = to;
    this.host.onMoved(this, from);
    this.host.events.emit('poolState', { pool: this.name, from, to, ...(reason !== undefined && { reason }) });
    this.host.events.emit('statistics', { pool: this.name });
  }
}

showAsJSON(DatabasePool.prototype);
