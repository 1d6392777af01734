import type { mongo } from 'mongoose';
import { PoolConnectError, PolyMongoError } from '../../polymongo.errors.js';
import type { PolyMongoEvents } from '../../polymongo.events.js';
import type { PoolConfig, RetryOptions } from '../../polymongo.options.js';
import type { PoolState } from '../../polymongo.types.js';
import { redactURI } from '../../polymongo.uri.js';
import type { ConnectionBudget } from './connection.budget.js';
import { within } from './deadline.js';
import { createClient } from './pool.client.js';
import { PoolLease, type LeaseKind, type LeaseUser } from './pool.lease.js';
import { assertTransition } from './pool-state.js';
import { PoolStatistics, type PoolStats } from './pool.statistics.js';

/** What a pool needs of the registry that made it. */
export interface PoolHost {
  readonly events: PolyMongoEvents;
  readonly budget: ConnectionBudget;
  readonly retry: Readonly<RetryOptions>;
  readonly shutdownTimeoutMS: number;
  /** Resolves when everybody who uses the pool's databases knows that it is about to close. */
  beforeClose(pool: DatabasePool, reason: string): Promise<void>;
  /** The last lease of the pool ended. */
  onIdle(pool: DatabasePool): void;
}

/** How long the driver may take to say goodbye to a server that does not answer. */
const CLOSE_TIMEOUT_MS = 2_000;
const MAX_RETRY_DELAY_MS = 30_000;

/** One MongoClient with its sockets: opened by the first lease, kept open by leases, closed and opened again at will. */
export class DatabasePool {
  readonly #leases = new Set<PoolLease>();
  readonly #statistics: PoolStatistics;
  #client: mongo.MongoClient | undefined;
  #state: PoolState = 'cold';
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #drained: (() => void) | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #idleSince = 0;
  #openedAt = 0;
  #isReachable = false;
  #lastUsed: number | undefined;
  /** The pool this one replaces; it has to be gone before this one connects. */
  #predecessor: DatabasePool | undefined;

  constructor(
    readonly config: PoolConfig,
    readonly host: PoolHost,
    predecessor?: DatabasePool,
  ) {
    this.#predecessor = predecessor;
    this.#statistics = new PoolStatistics(() => host.events.emit('statistics', { pool: config.dbName }));
  }

  get name(): string {
    return this.config.dbName;
  }

  get state(): PoolState {
    return this.#state;
  }

  /** Connected, and the last word from the servers was that one is there. */
  get isReachable(): boolean {
    return this.#state === 'connected' && this.#isReachable;
  }

  get leaseCount(): number {
    return this.#leases.size;
  }

  get hasLongLease(): boolean {
    for (const lease of this.#leases) if (lease.kind === 'long') return true;
    return false;
  }

  /** When the last lease was taken, in ms since 1970; undefined before the first. */
  get lastUsed(): number | undefined {
    return this.#lastUsed;
  }

  get openedAt(): number {
    return this.#openedAt;
  }

  /** The driver's client; made on first use, connected only by {@link open}. */
  get client(): mongo.MongoClient {
    return (this.#client ??= this.#createClient());
  }

  get stats(): PoolStats {
    const { maxConnections, minConnections, idleTimeoutMS } = this.config;
    return {
      ...this.#statistics.counts,
      maxPoolSize: maxConnections,
      minPoolSize: minConnections,
      ...(idleTimeoutMS !== undefined && { maxIdleTimeMS: idleTimeoutMS }),
    };
  }

  /** Takes a lease; the pool is not necessarily open yet. */
  lease(kind: LeaseKind, user?: LeaseUser, abort?: () => void): PoolLease {
    const lease = new PoolLease(this, kind, user, abort);
    this.#leases.add(lease);
    this.#lastUsed = Date.now();
    return lease;
  }

  /** Called by {@link PoolLease.release} alone. */
  endLease(lease: PoolLease): void {
    this.#leases.delete(lease);
    if (this.#leases.size > 0) return;
    this.#idleSince = Date.now();
    this.#drained?.();
    if (this.#state === 'connected') {
      this.#armIdleTimer(this.config.ttl);
      this.host.onIdle(this);
    }
  }

  /** Resolves when the pool is connected. Callers at the same time share one attempt. @throws PoolConnectError, ConnectionBudgetError */
  open(): Promise<void> {
    if (this.#state === 'connected') return Promise.resolve();
    return (this.#opening ??= this.#open().finally(() => (this.#opening = undefined)));
  }

  /**
   * Closes the sockets: waits for the leases first, unless `isForced`, up to the shutdown deadline. The pool can be opened again.
   * @param reason for hooks and logs
   */
  close(reason: string, isForced = false): Promise<void> {
    if (isForced && this.#closing) this.#drained?.();
    return (this.#closing ??= this.#close(reason, isForced).finally(() => (this.#closing = undefined)));
  }

  /** Resolves when a close that is under way is done. */
  async whenClosed(): Promise<void> {
    await this.#closing;
  }

  async #open(): Promise<void> {
    await this.#closing;
    this.#transition('connecting');
    try {
      await this.#predecessor?.close('reconfigured');
      this.#predecessor = undefined;
      const { maxConnections, waitQueueTimeoutMS } = this.config;
      await this.host.budget.reserve(this.name, maxConnections, waitQueueTimeoutMS);
      try {
        await this.#connect();
      } catch (error) {
        this.host.budget.release(maxConnections);
        throw error;
      }
    } catch (error) {
      this.#transition('closed', 'connect failed');
      throw error;
    }
    this.#openedAt = this.#idleSince = Date.now();
    this.#isReachable = true;
    this.#transition('connected');
    if (this.#leases.size === 0) this.#armIdleTimer(this.config.ttl);
  }

  async #connect(): Promise<void> {
    const { attempts, delayMS } = this.host.retry;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.client.connect();
        return;
      } catch (error) {
        await this.#closeClient();
        if (attempt >= attempts) {
          throw error instanceof PolyMongoError
            ? error
            : new PoolConnectError(this.name, attempt, redactURI(this.config.mongoURI), error);
        }
        await new Promise((resolve) => setTimeout(resolve, Math.min(delayMS * 2 ** (attempt - 1), MAX_RETRY_DELAY_MS)));
      }
    }
  }

  async #close(reason: string, isForced: boolean): Promise<void> {
    await this.#opening?.catch(() => {});
    if (this.#state !== 'connected') {
      if (this.#state === 'cold') this.#transition('closed', reason);
      return;
    }
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    this.#transition('draining', reason);
    if (!isForced) await this.#drain();
    const farewell = this.lease('operation');
    await within(
      this.host.shutdownTimeoutMS,
      farewell.during(() => this.host.beforeClose(this, reason)),
    );
    farewell.release();
    for (const lease of this.#leases) lease.abort?.();
    await this.#closeClient();
    this.host.budget.release(this.config.maxConnections);
    this.#transition('closed', reason);
  }

  async #drain(): Promise<void> {
    if (this.#leases.size === 0) return;
    await within(this.host.shutdownTimeoutMS, new Promise<void>((resolve) => (this.#drained = resolve)));
    this.#drained = undefined;
  }

  async #closeClient(): Promise<void> {
    await within(
      CLOSE_TIMEOUT_MS,
      this.client.close(true).catch(() => {}),
    );
  }

  #armIdleTimer(afterMS: number): void {
    if (!this.config.autoClose || this.#idleTimer) return;
    this.#idleTimer = setTimeout(() => this.#onIdleTimer(), afterMS);
    this.#idleTimer.unref();
  }

  #onIdleTimer(): void {
    this.#idleTimer = undefined;
    if (this.#leases.size > 0 || this.#state !== 'connected') return;
    const leftMS = this.#idleSince + this.config.ttl - Date.now();
    if (leftMS > 0) this.#armIdleTimer(leftMS);
    else void this.close('idle');
  }

  #createClient(): mongo.MongoClient {
    const client = createClient(this.config);
    this.#statistics.follow(client);
    client.on('topologyDescriptionChanged', ({ newDescription }) => {
      this.#isReachable = [...newDescription.servers.values()].some((server) => server.type !== 'Unknown');
    });
    return client;
  }

  #transition(to: PoolState, reason?: string): void {
    const from = this.#state;
    assertTransition(this.name, from, to);
    this.#state = to;
    this.host.events.emit('poolState', { pool: this.name, from, to, ...(reason !== undefined && { reason }) });
    this.host.events.emit('statistics', { pool: this.name });
  }
}
