import type { Mongoose, mongo } from 'mongoose';
import { PolyMongoEvents } from '../../polymongo.events.js';
import type { ResolvedOptions } from '../../polymongo.options.js';
import { resolveScaleOptions, type PoolConfig, type ScaleOptions } from '../../polymongo.pool-options.js';
import { showAsJSON } from '../../polymongo.secrets.js';
import { createDatabaseConnection } from '../connections/database.connection.js';
import { DatabaseAnnouncer } from '../databases/database.announcer.js';
import type { Database, DatabaseConnection } from '../databases/database.js';
import type { DatabaseIndexes, IndexPlan, SyncIndexesOptions } from '../databases/database.indexes.js';
import { DatabaseRegistry, type DatabaseRegistryHost } from '../databases/database.registry.js';
import { PoolReconfiguration } from '../databases/pool.reconfiguration.js';
import { ConnectionBudget } from './connection.budget.js';
import { DatabasePool, type PoolHost } from './database.pool.js';
import { ReconfigurationPendingError } from './pool.errors.js';
import { PoolEviction } from './pool.eviction.js';
import { PoolsShutdown } from './pools.shutdown.js';

/** All pools and databases of one module: the one place where connections are opened and closed. */
export class PolyMongoPools {
  readonly budget: ConnectionBudget;
  readonly primary: DatabasePool;
  readonly #separate = new Map<string, DatabasePool>();
  readonly #poolHost: PoolHost;
  readonly #databases: DatabaseRegistry;
  readonly #announcer: DatabaseAnnouncer;
  readonly #reconfiguration: PoolReconfiguration;
  readonly #shutdown: PoolsShutdown;
  #indexes: DatabaseIndexes | undefined;

  constructor(
    readonly options: ResolvedOptions,
    readonly events: PolyMongoEvents = new PolyMongoEvents(),
  ) {
    this.budget = new ConnectionBudget(options.maxTotalConnections, () => eviction.makeRoom());
    const eviction = new PoolEviction(this.budget);
    this.#shutdown = this.#createShutdown();
    this.#announcer = new DatabaseAnnouncer(events, (name) => this.poolOf(name).config);
    this.#poolHost = this.#createPoolHost(eviction);
    this.primary = new DatabasePool(options.primary, this.#poolHost);
    this.#databases = new DatabaseRegistry(this.#createDatabaseHost(), options.defaultDB, options.maxCachedDatabases);
    this.#reconfiguration = this.#createReconfiguration();
    for (const config of options.dbSpecific) this.#reconfiguration.configure(config);
    events.on('poolState', ({ pool, to }) => {
      if (to === 'connecting') this.#tellConnecting(pool);
    });
  }

  /** `closeAll()` or `forceCloseAll()` has been called; nothing new starts. */
  get isShuttingDown(): boolean {
    return this.#shutdown.isShuttingDown;
  }

  /** How long disconnect hooks may take now. */
  get hookTimeoutMS(): number {
    return this.#shutdown.hookTimeoutMS;
  }

  /** The databases with a pool of their own, open or not. */
  get separate(): ReadonlyMap<string, DatabasePool> {
    return this.#separate;
  }

  /** The databases whose models are in memory. */
  get databases(): ReadonlyMap<string, Database> {
    return this.#databases.cached;
  }

  /** The handle of a database, the same one until it is let go. @throws InvalidDatabaseNameError */
  database(name: string): Database {
    return this.#databases.get(name);
  }

  /** The handle that somebody has of a database; none is made. */
  findDatabase(name: string): Database | undefined {
    return this.#databases.find(name);
  }

  connectionOf(name: string): DatabaseConnection {
    return this.database(name).connection;
  }

  poolOf(name: string): DatabasePool {
    return this.#separate.get(name) ?? this.primary;
  }

  /** The mongoose instance that models are compiled with. */
  get mongoose(): Mongoose {
    return this.#databases.mongoose;
  }

  /** Has `indexes` do the work of {@link ensureIndexes} and {@link syncIndexes}. */
  onIndexes(indexes: DatabaseIndexes): void {
    this.#indexes = indexes;
  }

  /**
   * Makes the collections and indexes of every registered model on a database, whatever `autoIndex` says. It drops and
   * changes none: {@link syncIndexes} does.
   * @throws IndexMismatchError with each index that is there in another form, or that documents contradict
   */
  async ensureIndexes(name: string): Promise<void> {
    const database = this.database(name);
    await database.run(async () => this.#indexes?.ensure(database));
  }

  /**
   * Has the collections of registered models have the indexes that their schemas declare and no others; gives what was
   * done, or with `dryRun` what is to be done, by collection, for those where something is. An index that cannot be
   * made leaves its collection's indexes as they were. Others than `_id`'s that no schema declares are dropped: give
   * them to the schemas, or look at the plan first.
   * @throws IndexMismatchError
   */
  async syncIndexes(name: string, options: SyncIndexesOptions = {}): Promise<IndexPlan[]> {
    const database = this.database(name);
    return database.run(async () => (await this.#indexes?.sync(database, options)) ?? []);
  }

  /** Has `setup` see each database when it is made, before anybody uses it. */
  onDatabase(setup: (database: Database) => void): void {
    this.#databases.onDatabase(setup);
  }

  /** The mongoose instance that connections and models belong to, when it is not the default one. */
  useMongoose(base: Mongoose): void {
    this.#databases.useMongoose(base);
  }

  /**
   * Gives databases a pool of their own, or another configuration, from their next use on; `coldStart: false` connects at
   * once, in the background. On one that is in use, work
   * that has begun ends on the old pool while new calls wait; then the new pool takes over. When the work has not ended
   * after `shutdownTimeoutMS`, the old pool serves on, and the new one takes over as soon as it has. Nothing is dropped,
   * and the two never serve at the same time. The configuration that there is already changes nothing.
   * @throws PolyMongoOptionsError, InvalidDatabaseNameError
   */
  setDB(names: string | readonly string[], options: ScaleOptions = {}): void {
    this.#configure(names, options);
    if (options.coldStart === false) for (const name of [names].flat()) this.connectInBackground(name);
  }

  #configure(names: string | readonly string[], options: ScaleOptions): void {
    this.#shutdown.assertOpen();
    const configs = [names].flat().map((name) => resolveScaleOptions(this.options, name, options));
    for (const { dbName } of configs) this.#databases.assertNameIsFree(dbName);
    for (const config of configs) this.#reconfiguration.configure(config);
  }

  /**
   * As {@link setDB}, and resolves when all of them are connected.
   * @throws PoolConnectError with the reason; ReconfigurationPendingError when work on the old pool does not end in time
   */
  async connectDB(names: string | readonly string[], options: ScaleOptions = {}): Promise<void> {
    this.#configure(names, options);
    await Promise.all(
      [names].flat().map(async (name) => {
        await this.connect(name);
        if (this.#reconfiguration.isPending(name))
          throw new ReconfigurationPendingError(name, this.database(name).leaseCount, this.options.shutdownTimeoutMS);
      }),
    );
  }

  /** Opens the pool of a database, if it is not. */
  async connect(name: string): Promise<void> {
    (await this.database(name).enter('operation')).release();
  }

  /** Opens the pool of a database; a failure is told to the `error` listeners and the next call tries again. */
  connectInBackground(name: string): void {
    this.connect(name).catch((error: unknown) =>
      this.events.emit('error', { db: name, error, during: 'connect in the background' }),
    );
  }

  connectEagerInBackground(): void {
    for (const pool of this.#pools()) if (!pool.config.coldStart) this.connectInBackground(pool.name);
  }

  /** Has `listener` called when everything is closed. */
  onClosed(listener: () => void): void {
    this.#shutdown.onClosed(listener);
  }

  /**
   * Opens every pool that is not to start cold. Called when the application starts; when one fails, all are closed.
   * @throws PoolConnectError
   */
  async connectEager(): Promise<void> {
    const eager = [...this.#pools()].filter((pool) => !pool.config.coldStart && pool.state === 'cold');
    try {
      await Promise.all(eager.map((pool) => this.connect(pool.name)));
    } catch (error) {
      await this.forceCloseAll();
      throw error;
    }
  }

  /** Lets a database's handle go: disconnect hooks run, its models are forgotten. Whoever kept one can still use it. */
  async release(name: string, reason: string): Promise<void> {
    const database = this.#databases.cached.get(name);
    if (!database) return;
    this.#databases.letGo(database);
    this.events.emit('released', { db: name });
    await this.#announcer.leave(database, reason);
  }

  /** Closes the pool that a database has for itself; its next use opens it again. Shared databases: {@link release}. */
  async disconnect(name: string, reason: string): Promise<void> {
    const own = this.#separate.get(name);
    if (own) await own.close(reason);
    else await this.release(name, reason);
  }

  /** Ends everything in order: streams complete, running work ends (up to `shutdownTimeoutMS`), hooks run, pools close. Final. */
  closeAll(): Promise<void> {
    return this.#shutdown.begin(false);
  }

  /** As {@link closeAll}, but waits for no running work. */
  forceCloseAll(): Promise<void> {
    return this.#shutdown.begin(true);
  }

  /**
   * Has the change streams of these databases end, all when none are named; waits for them up to `shutdownTimeoutMS`.
   * All of them is the first phase of a shutdown, and part of its time.
   */
  completeStreams(dbs: readonly string[] | 'all' = 'all'): Promise<void> {
    return this.#shutdown.completeStreams(dbs);
  }

  /** What `console.log` and `JSON.stringify` show of it. */
  toJSON(): unknown {
    const { primary, isShuttingDown, options } = this;
    return {
      isShuttingDown,
      primary,
      separate: [...this.#separate.values()],
      databases: [...this.databases.keys()],
      options,
    };
  }

  #createPoolHost(eviction: PoolEviction): PoolHost {
    const { events, budget, options } = this;
    const shutdown = this.#shutdown;
    return {
      events,
      budget,
      retry: options.retry,
      shutdownTimeoutMS: options.shutdownTimeoutMS,
      get shutdownDeadline() {
        return shutdown.shutdownDeadline;
      },
      beforeClose: async (pool, reason) => {
        const served = [...this.databases.values()].filter((database) => database.pool === pool);
        await Promise.all(served.map((database) => this.#announcer.leave(database, reason)));
      },
      onFreed: () => eviction.makeRoom(),
      onMoved: (pool, from) => eviction.moved(pool, from),
      nameOfClient: (client) => this.#nameOfClient(client),
    };
  }

  #createDatabaseHost(): DatabaseRegistryHost {
    const shutdown = this.#shutdown;
    return {
      events: this.events,
      get isShuttingDown() {
        return shutdown.isShuttingDown;
      },
      connect: (database) => createDatabaseConnection(this.mongoose, database),
      poolOf: (name) => this.poolOf(name),
      isSeparate: (name) => this.#separate.has(name),
      isAnnounced: (database) => this.#announcer.isAnnounced(database),
      connectionOf: (name) => this.connectionOf(name),
      release: (name, reason) => this.release(name, reason),
      onWork: (database) => {
        this.#databases.touch(database);
        this.#announcer.announce(database);
      },
      onFreed: (database) => {
        this.#reconfiguration.onFreed(database);
        this.#databases.freed(database);
      },
    };
  }

  #createReconfiguration(): PoolReconfiguration {
    const shutdown = this.#shutdown;
    return new PoolReconfiguration({
      get isShuttingDown() {
        return shutdown.isShuttingDown;
      },
      shutdownTimeoutMS: this.options.shutdownTimeoutMS,
      database: (name) => this.database(name),
      findDatabase: (name) => this.#databases.find(name),
      ownPoolOf: (name) => this.#separate.get(name),
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
      pools: () => this.#pools(),
      resumeAll: () => {
        for (const database of this.databases.values()) database.resume();
      },
      releaseAll: async () => {
        for (const name of [...this.databases.keys()]) await this.release(name, 'shutdown');
      },
    });
  }

  #replace(config: PoolConfig): void {
    const pool = new DatabasePool(config, this.#poolHost);
    this.#separate.set(config.dbName, pool);
    this.#databases.separate(config.dbName, pool);
    this.events.emit('statistics', { pool: config.dbName });
  }

  #nameOfClient(client: mongo.MongoClient): string | undefined {
    for (const pool of this.#pools()) if (pool.state !== 'cold' && pool.client === client) return pool.name;
    return undefined;
  }

  #tellConnecting(pool: string): void {
    const own = this.#separate.has(pool) ? this.#databases.find(pool) : undefined;
    for (const database of own ? [own] : this.databases.values())
      if (database.pool.name === pool) this.#announcer.tell(database, 'connecting');
  }

  *#pools(): Iterable<DatabasePool> {
    yield this.primary;
    yield* this.#separate.values();
  }
}

showAsJSON(PolyMongoPools.prototype);
