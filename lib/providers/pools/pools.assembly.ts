import type { mongo } from 'mongoose';
import type { PolyMongoEvents } from '../../polymongo.events.js';
import type { ResolvedOptions } from '../../polymongo.options.js';
import type { PoolConfig } from '../../polymongo.pool-options.js';
import { createDatabaseConnection } from '../connections/database.connection.js';
import type { Database } from '../databases/database.js';
import { DatabaseAnnouncer } from '../databases/database.announcer.js';
import { DatabaseRegistry, type DatabaseRegistryHost } from '../databases/database.registry.js';
import { OperationObservers } from '../databases/operation.observers.js';
import { PoolReconfiguration } from '../databases/pool.reconfiguration.js';
import { ConnectionBudget } from './connection.budget.js';
import { DatabasePool, type PoolHost } from './database.pool.js';
import { PoolEviction } from './pool.eviction.js';
import { PoolsShutdown } from './pools.shutdown.js';

/** The parts of all pools and databases, each with what it needs of the others. */
export class PoolsAssembly {
  readonly budget: ConnectionBudget;
  readonly primary: DatabasePool;
  readonly separate = new Map<string, DatabasePool>();
  readonly operations = new OperationObservers();
  readonly databases: DatabaseRegistry;
  readonly reconfiguration: PoolReconfiguration;
  readonly shutdown: PoolsShutdown;
  readonly #announcer: DatabaseAnnouncer;
  readonly #poolHost: PoolHost;

  constructor(
    readonly options: ResolvedOptions,
    readonly events: PolyMongoEvents,
  ) {
    this.budget = new ConnectionBudget(options.maxTotalConnections, () => eviction.makeRoom());
    const eviction = new PoolEviction(this.budget);
    this.shutdown = this.#createShutdown();
    this.#announcer = new DatabaseAnnouncer(events, (name) => this.poolOf(name).config);
    this.#poolHost = this.#createPoolHost(eviction);
    this.primary = new DatabasePool(options.primary, this.#poolHost);
    this.databases = new DatabaseRegistry(this.#createDatabaseHost(), options.defaultDB, options.maxCachedDatabases);
    this.reconfiguration = this.#createReconfiguration();
    for (const config of options.dbSpecific) this.reconfiguration.configure(config);
    events.on('poolState', ({ pool, to }) => {
      if (to !== 'connecting' && to !== 'connected') return;
      for (const database of this.#servedBy(pool)) {
        if (to === 'connected') this.#announcer.opened(database);
        else this.#announcer.tell(database, 'connecting');
      }
    });
  }

  *pools(): Iterable<DatabasePool> {
    yield this.primary;
    yield* this.separate.values();
  }

  /** The pool that serves a database by its configuration. */
  poolOf(name: string): DatabasePool {
    return this.separate.get(name) ?? this.primary;
  }

  /** Lets a database's handle go, when disconnect hooks have run. */
  async release(name: string, reason: string): Promise<void> {
    const database = this.databases.cached.get(name);
    if (!database) return;
    this.databases.letGo(database);
    this.events.emit('released', { db: name });
    await this.#announcer.leave(database, reason);
  }

  #createPoolHost(eviction: PoolEviction): PoolHost {
    const { events, budget, options } = this;
    const shutdown = this.shutdown;
    return {
      events,
      budget,
      retry: options.retry,
      shutdownTimeoutMS: options.shutdownTimeoutMS,
      get shutdownDeadline() {
        return shutdown.shutdownDeadline;
      },
      beforeClose: async (pool, reason) => {
        const served = this.#servedBy(pool.name).filter((database) => database.pool === pool);
        await Promise.all(served.map((database) => this.#announcer.leave(database, reason)));
      },
      onFreed: () => eviction.makeRoom(),
      onMoved: (pool, from) => eviction.moved(pool, from),
      nameOfClient: (client) => this.#nameOfClient(client),
    };
  }

  #createDatabaseHost(): DatabaseRegistryHost {
    const shutdown = this.shutdown;
    return {
      events: this.events,
      operations: this.operations,
      get isShuttingDown() {
        return shutdown.isShuttingDown;
      },
      connect: (database) => createDatabaseConnection(this.databases.mongoose, database),
      poolOf: (name) => this.poolOf(name),
      isSeparate: (name) => this.separate.has(name),
      isAnnounced: (database) => this.#announcer.isAnnounced(database),
      connectionOf: (name) => this.databases.get(name).connection,
      release: (name, reason) => this.release(name, reason),
      onWork: (database) => {
        this.databases.touch(database);
        this.#announcer.announce(database);
      },
      onFreed: (database) => {
        this.reconfiguration.onFreed(database);
        this.databases.freed(database);
      },
    };
  }

  #createReconfiguration(): PoolReconfiguration {
    const shutdown = this.shutdown;
    return new PoolReconfiguration({
      get isShuttingDown() {
        return shutdown.isShuttingDown;
      },
      shutdownTimeoutMS: this.options.shutdownTimeoutMS,
      database: (name) => this.databases.get(name),
      findDatabase: (name) => this.databases.find(name),
      ownPoolOf: (name) => this.separate.get(name),
      moveStreams: (name) => this.events.emit('streams', { dbs: [name], action: 'resume' }),
      leaveShared: async (database) => {
        const farewell = this.primary.lease('operation', database);
        await farewell.during(() => this.#announcer.leave(database, 'reconfigured'));
        farewell.release();
      },
      replace: (config) => this.#replace(config),
    });
  }

  #createShutdown(): PoolsShutdown {
    return new PoolsShutdown(this.options.shutdownTimeoutMS, {
      events: this.events,
      pools: () => this.pools(),
      resumeAll: () => {
        for (const database of this.databases.cached.values()) database.resume();
      },
      releaseAll: async () => {
        for (const name of [...this.databases.cached.keys()]) await this.release(name, 'shutdown');
      },
    });
  }

  #replace(config: PoolConfig): void {
    const pool = new DatabasePool(config, this.#poolHost);
    this.separate.set(config.dbName, pool);
    this.databases.separate(config.dbName, pool);
    this.events.emit('statistics', { pool: config.dbName });
  }

  #nameOfClient(client: mongo.MongoClient): string | undefined {
    for (const pool of this.pools()) if (pool.state !== 'cold' && pool.client === client) return pool.name;
    return undefined;
  }

  /** The databases that there are handles of. */
  #servedBy(pool: string): Database[] {
    const own = this.separate.has(pool) ? this.databases.find(pool) : undefined;
    return (own ? [own] : [...this.databases.cached.values()]).filter((database) => database.pool.name === pool);
  }
}
