import { isDeepStrictEqual } from 'node:util';
import type { PoolConfig } from '../../polymongo.pool-options.js';
import type { Database } from './database.js';
import type { DatabasePool } from '../pools/database.pool.js';
import type { LeaseUser } from '../pools/pool.lease.js';

/** What a reconfiguration needs of the pools. */
export interface ReconfigurationHost {
  readonly isShuttingDown: boolean;
  readonly shutdownTimeoutMS: number;
  /** The pool that a database has for itself. */
  ownPoolOf(dbName: string): DatabasePool | undefined;
  database(dbName: string): Database;
  /** The handle that somebody has of a database. */
  findDatabase(dbName: string): Database | undefined;
  /** Has long-lived streams of a database move to its new pool. */
  moveStreams(dbName: string): void;
  /** A database moves out of the primary pool, which stays open. */
  leaveShared(database: Database): Promise<void>;
  /** From now on a new pool serves the database. */
  replace(config: PoolConfig): void;
}

/**
 * Puts new configurations into effect without dropping work: on a database that is in use new calls wait, what has
 * begun ends on the old pool, and only then the new pool takes over. Work that does not end in time keeps the old pool
 * serving, until it has ended.
 */
export class PoolReconfiguration {
  /** Configurations that wait for the work on their database to end. */
  readonly #pending = new Map<string, PoolConfig>();
  readonly #running = new Set<string>();

  constructor(readonly host: ReconfigurationHost) {}

  isPending(name: string): boolean {
    return this.#pending.has(name);
  }

  /** The same configuration again changes nothing; of several the last one counts. */
  configure(config: PoolConfig): void {
    const { dbName } = config;
    const own = this.host.ownPoolOf(dbName);
    if (isDeepStrictEqual(this.#pending.get(dbName) ?? own?.config, config)) return;
    const database = this.host.findDatabase(dbName);
    const isInUse = database && (database.leaseCount > 0 || (!own && database.isAnnounced));
    if (!isInUse && (!own || own.isAtRest)) return this.#replace(config);
    this.#pending.set(dbName, config);
    this.host.moveStreams(dbName);
    void this.#takeOver(this.host.database(dbName));
  }

  /** Work on a database has ended. */
  onFreed(database: Database): void {
    if (this.#pending.has(database.name)) void this.#takeOver(database);
  }

  async #takeOver(database: Database): Promise<void> {
    const { name } = database;
    if (this.#running.has(name)) return;
    this.#running.add(name);
    database.suspend();
    try {
      if (!(await database.drain(this.host.shutdownTimeoutMS))) return this.#tryAgainAfter(database, database);
      const own = this.host.ownPoolOf(name);
      if (!own) await this.host.leaveShared(database);
      else if (!(await own.close('reconfigured', 'patient'))) return this.#tryAgainAfter(database);
      const config = this.#pending.get(name);
      if (config && !this.host.isShuttingDown) this.#replace(config);
    } finally {
      this.#running.delete(name);
      database.resume();
    }
  }

  /** When the work that is under way now has ended, whatever has begun since: calls that overlap leave no moment without any. */
  #tryAgainAfter(database: Database, user?: LeaseUser): void {
    const blocking = database.pool.leasesOf(user).map((lease) => lease.whenReleased());
    void Promise.all(blocking).then(() => this.onFreed(database));
  }

  #replace(config: PoolConfig): void {
    const own = this.host.ownPoolOf(config.dbName);
    if (own?.state === 'cold') void own.close('reconfigured');
    this.#pending.delete(config.dbName);
    this.host.replace(config);
  }
}
