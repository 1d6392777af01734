import type { PolyMongoEvents } from '../../polymongo.events.js';
import type { PoolConfig } from '../../polymongo.pool-options.js';
import type { Database } from './database.js';
import { asNobody } from '../sessions/subscriber.context.js';

const LISTENER = "a listener of the connection's events";

/** Tells of databases that can be used and of those that are about to go: each once, whatever way it came or goes. */
export class DatabaseAnnouncer {
  /** Databases whose connect hooks have run, and whose disconnect hooks have not ended. */
  readonly #announced = new Map<Database, 'there' | 'leaving'>();

  /** @param configOf how the pool that serves a database is configured */
  constructor(
    readonly events: PolyMongoEvents,
    readonly configOf: (dbName: string) => PoolConfig,
  ) {}

  /** Work begins on an open pool; the first time connect hooks run, which nobody waits for. */
  announce(database: Database): void {
    if (!this.#announced.has(database)) asNobody(() => this.#announce(database));
  }

  isAnnounced(database: Database): boolean {
    return this.#announced.has(database);
  }

  /** Resolves when everybody has taken leave of a database that was announced. */
  async leave(database: Database, reason: string): Promise<void> {
    if (this.#announced.get(database) !== 'there') return;
    const { name, connection } = database;
    this.#announced.set(database, 'leaving');
    this.tell(database, 'disconnecting');
    await this.events.emitAndWait('disconnecting', { db: name, connection, reason });
    this.#announced.delete(database);
    this.tell(database, 'disconnected', 'close');
  }

  /** Has a database's connection emit what mongoose's own would. */
  tell({ name, connection }: Database, ...events: string[]): void {
    if (connection.eventNames().length === 0) return;
    for (const event of events) void this.events.guard(name, LISTENER, () => connection.emit(event));
  }

  #announce(database: Database): void {
    const { name, connection } = database;
    this.#announced.set(database, 'there');
    void this.events.guard(name, 'onConnectionCreate', () =>
      this.configOf(name).onConnectionCreate?.(connection, name),
    );
    this.tell(database, 'connected', 'open');
    this.events.emit('connected', { db: name, connection });
  }
}
