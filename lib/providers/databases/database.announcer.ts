import type { PolyMongoEvents } from '../../polymongo.events.js';
import type { PoolConfig } from '../../polymongo.pool-options.js';
import type { Database } from './database.js';
import { asNobody } from '../sessions/subscriber.context.js';

const LISTENER = "a listener of the connection's events";

/** Tells of databases that can be used and of those that are about to go: each once, whatever way it came or goes. */
export class DatabaseAnnouncer {
  /** @param configOf how the pool that serves a database is configured */
  constructor(
    readonly events: PolyMongoEvents,
    readonly configOf: (dbName: string) => PoolConfig,
  ) {}

  /** Work begins on an open pool; the first time connect hooks run, which nobody waits for. */
  announce(database: Database): void {
    if (database.announcement === 'none') asNobody(() => this.#announce(database));
  }

  /** Resolves when everybody has taken leave of a database that was announced. */
  async leave(database: Database, reason: string): Promise<void> {
    if (database.announcement !== 'announced') return;
    const { name, connection } = database;
    database.announcement = 'leaving';
    this.tell(database, 'disconnecting');
    await this.events.emitAndWait('disconnecting', { db: name, connection, reason });
    database.announcement = 'none';
    this.tell(database, 'disconnected', 'close');
  }

  /** Has a database's connection emit what mongoose's own would. */
  tell({ name, connection }: Database, ...events: string[]): void {
    if (connection.eventNames().length === 0) return;
    for (const event of events) void this.events.guard(name, LISTENER, () => connection.emit(event));
  }

  #announce(database: Database): void {
    const { name, connection } = database;
    database.announcement = 'announced';
    void this.events.guard(name, 'onConnectionCreate', () =>
      this.configOf(name).onConnectionCreate?.(connection, name),
    );
    this.tell(database, 'connected', 'open');
    this.events.emit('connected', { db: name, connection });
  }
}
