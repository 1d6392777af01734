import type { PolyMongoEvents } from '../../polymongo.events.js';
import type { PoolConfig } from '../../polymongo.pool-options.js';
import type { Database } from './database.js';
import { asNobody } from '../sessions/subscriber.context.js';

const LISTENER = "a listener of the connection's events";

/** Tells of databases that can be used and of those that are about to go: each once, whatever way it came or goes. */
export class DatabaseAnnouncer {
  /** Databases whose connect hooks have run, and whose disconnect hooks have not ended. */
  readonly #announced = new Map<Database, 'there' | 'leaving'>();
  /** Databases whose connection has told that its pool is open. */
  readonly #opened = new WeakSet<Database>();

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

  /** The pool of a database is open: its connection tells of it, whether or not there has been work. */
  opened(database: Database): void {
    if (this.#opened.has(database)) return;
    this.#opened.add(database);
    this.tell(database, 'connected', 'open');
  }

  /** Resolves when everybody has taken leave of a database. Of one that was not announced only its connection tells. */
  async leave(database: Database, reason: string): Promise<void> {
    const { name, connection } = database;
    const announced = this.#announced.get(database);
    if (announced === 'leaving' || (!announced && !isOpen(database))) return;
    this.#opened.delete(database);
    this.tell(database, 'disconnecting');
    if (announced) {
      this.#announced.set(database, 'leaving');
      await this.events.emitAndWait('disconnecting', { db: name, connection, reason });
      this.#announced.delete(database);
    }
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
    this.opened(database);
    this.events.emit('connected', { db: name, connection });
  }
}

const isOpen = ({ pool: { state } }: Database): boolean => state === 'connected' || state === 'draining';
