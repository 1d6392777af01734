import type { Connection, mongo } from 'mongoose';
import type { PoolState } from './polymongo.types.js';

/** What happens in the pools, as hooks, statistics, streams and logs hear of it. */
export interface PolyMongoEventMap {
  /** A pool went from one state to another. */
  poolState: { pool: string; from: PoolState; to: PoolState; reason?: string };
  /** No server has answered for a second. `uri`: without credentials; `reason`: what the last attempt ended with, if one has. */
  connectDelayed: { pool: string; uri: string; reason?: string };
  /** A pool has made its driver's client, which is not connected yet. */
  client: { pool: string; client: mongo.MongoClient };
  /** A call has waited for its database's turn on a pool, and goes on to take a socket. */
  turnTaken: { pool: string; waitedMS: number };
  /** Something that `stats` shows has changed. */
  statistics: { pool: string };
  /** A database can be used: its pool is open and it was asked for. */
  connected: { db: string; connection: Connection };
  /** The pool of a database is about to close, or the database to be let go; listeners are awaited, up to a deadline. */
  disconnecting: { db: string; connection: Connection; reason: string };
  /** A database's handle was let go: whoever keeps something of it drops it. */
  released: { db: string };
  /** Long-lived streams of these databases are to end (`complete`) or to go over to a new pool (`resume`). */
  streams: { dbs: readonly string[] | 'all'; action: 'complete' | 'resume' };
  /** A tenant's database is there, with collections, indexes and seeds. `isNew`: it was not before. */
  tenantProvisioned: { tenantId: string; db: string; isNew: boolean };
  /** A tenant's database is gone. */
  tenantDeprovisioned: { tenantId: string; db: string };
  /** This process has learned that a tenant is suspended, and lets it in no more. `reason`: what `suspend` was told. */
  tenantSuspended: { tenantId: string; db: string; reason?: string };
  /** This process has learned that a tenant is suspended no more. */
  tenantResumed: { tenantId: string; db: string };
  /** This process has learned that a tenant's database was restored. */
  tenantRestored: { tenantId: string; db: string };
  /** A client was refused: its request names no tenant, or none that it may have. */
  refused: { error: Error };
  /** Something failed beside the caller: a hook, a connect in the background. */
  error: { db: string; error: unknown; during: string };
}

export type PolyMongoEvent = keyof PolyMongoEventMap;
type Listener<E extends PolyMongoEvent> = (event: PolyMongoEventMap[E]) => unknown;

/** The bus between the pools and everything right of them. A listener that throws stops nothing; it becomes an `error`. */
export class PolyMongoEvents {
  readonly #listeners = new Map<PolyMongoEvent, Set<Listener<never>>>();

  /** Registers a listener; gives the function that takes it back. */
  on<E extends PolyMongoEvent>(name: E, listener: Listener<E>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener as Listener<never>));
    return () => void listeners.delete(listener as Listener<never>);
  }

  /** Somebody listens. */
  has(name: PolyMongoEvent): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  /** Tells all listeners and waits for none. */
  emit<E extends PolyMongoEvent>(name: E, event: PolyMongoEventMap[E]): void {
    if (this.has(name)) void this.emitAndWait(name, event);
  }

  /** Tells all listeners at once and resolves when the last of them is done. */
  async emitAndWait<E extends PolyMongoEvent>(name: E, event: PolyMongoEventMap[E]): Promise<void> {
    const listeners = this.#listeners.get(name);
    if (!listeners?.size) return;
    await Promise.all([...listeners].map((listener) => this.#call(name, listener as Listener<E>, event)));
  }

  /**
   * Calls what a user gave us. Neither an error of it nor a rejection fails what happened to cause the call, nor ends
   * the process: it becomes an `error`. Resolves when it is done; never rejects.
   */
  async guard(db: string, during: string, call: () => unknown): Promise<void> {
    try {
      await call();
    } catch (error) {
      this.emit('error', { db, error, during });
    }
  }

  async #call<E extends PolyMongoEvent>(name: E, listener: Listener<E>, event: PolyMongoEventMap[E]): Promise<void> {
    try {
      await listener(event);
    } catch (error) {
      if (name !== 'error')
        this.emit('error', { db: 'db' in event ? event.db : '', error, during: `${name} listener` });
    }
  }
}
