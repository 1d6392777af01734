import type { PolyMongoEvents } from '../../polymongo.events.js';
import type { PoolConfig } from '../../polymongo.pool-options.js';
import { outsideTransaction } from './active.transaction.js';
import type { Database } from './database.js';

/** Tells of databases that can be used and of those that are about to go: each once, whatever way it came or goes. */
export class DatabaseAnnouncer {
  /** @param configOf how the pool that serves a database is configured */
  constructor(
    readonly events: PolyMongoEvents,
    readonly configOf: (dbName: string) => PoolConfig,
  ) {}

  /** Work begins on an open pool; the first time connect hooks run, which nobody waits for. */
  announce(database: Database): void {
    if (database.announcement === 'none') outsideTransaction(() => this.#announce(database));
  }

  /** Resolves when everybody has taken leave of a database that was announced. */
  async leave(database: Database, reason: string): Promise<void> {
    if (database.announcement !== 'announced') return;
    const { name, connection } = database;
    database.announcement = 'leaving';
    await this.events.emitAndWait('disconnecting', { db: name, connection, reason });
    database.announcement = 'none';
    this.#guarded(name, "a listener of the connection's events", () => connection.emit('disconnected'));
  }

  #announce(database: Database): void {
    const { name, connection } = database;
    database.announcement = 'announced';
    this.#guarded(name, 'onConnectionCreate', () => this.configOf(name).onConnectionCreate?.(connection, name));
    this.#guarded(name, "a listener of the connection's events", () => connection.emit('connected'));
    this.events.emit('connected', { db: name, connection });
  }

  /** What users gave us to call never fails the operation that happened to cause it. */
  #guarded(db: string, during: string, call: () => unknown): void {
    try {
      call();
    } catch (error) {
      this.events.emit('error', { db, error, during });
    }
  }
}
