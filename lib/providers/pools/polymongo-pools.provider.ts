import type { Connection, mongo, Mongoose } from 'mongoose';
import { PolyMongoEvents } from '../../polymongo.events.js';
import type { ResolvedOptions } from '../../polymongo.options.js';
import { resolveScaleOptions, type ScaleOptions } from '../../polymongo.pool-options.js';
import { showAsJSON } from '../../polymongo.secrets.js';
import type { Database } from '../databases/database.js';
import type { DatabaseIndexes, IndexPlan, SyncIndexesOptions } from '../databases/database.indexes.js';
import type { OperationObserver } from '../databases/operation.observers.js';
import type { ConnectionBudget } from './connection.budget.js';
import type { DatabasePool } from './database.pool.js';
import { ReconfigurationPendingError } from './pool.errors.js';
import { PoolsAssembly } from './pools.assembly.js';

/** All pools and databases of one module: the one place where connections are opened and closed. */
export class PolyMongoPools {
  readonly #parts: PoolsAssembly;
  #indexes: DatabaseIndexes | undefined;

  /** @internal Made by `PolyMongoWrapper`. */
  constructor(
    /** @internal */ readonly options: ResolvedOptions,
    /** @internal */ readonly events: PolyMongoEvents = new PolyMongoEvents(),
  ) {
    this.#parts = new PoolsAssembly(options, events);
  }

  /** @internal The pool of every database that has none of its own. */
  get primary(): DatabasePool {
    return this.#parts.primary;
  }

  /** @internal How many sockets all pools together may have, and have. */
  get budget(): ConnectionBudget {
    return this.#parts.budget;
  }

  /** `closeAll()` or `forceCloseAll()` has been called; nothing new starts. */
  get isShuttingDown(): boolean {
    return this.#parts.shutdown.isShuttingDown;
  }

  /** @internal How long disconnect hooks may take now, in ms. */
  get hookTimeoutMS(): number {
    return this.#parts.shutdown.hookTimeoutMS;
  }

  /** @internal The databases with a pool of their own, open or not. */
  get separate(): ReadonlyMap<string, DatabasePool> {
    return this.#parts.separate;
  }

  /** @internal The databases whose models are in memory. */
  get databases(): ReadonlyMap<string, Database> {
    return this.#parts.databases.cached;
  }

  /** @internal The handle of a database, the same one until it is let go. @throws InvalidDatabaseNameError */
  database(name: string): Database {
    return this.#parts.databases.get(name);
  }

  /** @internal The handle that somebody has of a database; none is made. */
  findDatabase(name: string): Database | undefined {
    return this.#parts.databases.find(name);
  }

  /**
   * mongoose's connection to a database, the same one until its handle is let go; also `model.db(name).db`. It survives
   * that its pool closes and opens again; `close()` and the like are refused.
   * @throws InvalidDatabaseNameError
   */
  connectionOf(name: string): Connection {
    return this.database(name).connection;
  }

  /**
   * Runs `fn` with the pool of a database open, and keeps it open until the promise of `fn` settles: for what holds no lease
   * by itself, as `connection.db` and `connection.getClient()`.
   * @throws InvalidDatabaseNameError, PoolConnectError, ConnectionBudgetError, PolyMongoClosedError; what `fn` throws
   * @example await pools.run('acme', (connection) => connection.db!.collection('orders').distinct('name'));
   */
  async run<T>(name: string, fn: (connection: Connection) => T | Promise<T>): Promise<T> {
    const database = this.database(name);
    return database.run(async () => fn(database.connection));
  }

  /** @internal The pool that serves a database. */
  poolOf(name: string): DatabasePool {
    return this.#parts.poolOf(name);
  }

  /** @internal The mongoose instance that models are compiled with. */
  get mongoose(): Mongoose {
    return this.#parts.databases.mongoose;
  }

  /** @internal Has `indexes` do the work of {@link ensureIndexes} and {@link syncIndexes}. */
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

  /** @internal Has `setup` see each database when it is made, before anybody uses it. */
  onDatabase(setup: (database: Database) => void): void {
    this.#parts.databases.onDatabase(setup);
  }

  /** @internal The mongoose instance that connections and models belong to, when it is not the default one. */
  useMongoose(base: Mongoose): void {
    this.#parts.databases.useMongoose(base);
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

  /** @internal The old pool of a database serves on while work on it goes on. */
  isReconfiguring(name: string): boolean {
    return this.#parts.reconfiguration.isPending(name);
  }

  #configure(names: string | readonly string[], options: ScaleOptions): void {
    this.#parts.shutdown.assertOpen();
    const configs = [names].flat().map((name) => resolveScaleOptions(this.options, name, options));
    for (const { dbName } of configs) this.#parts.databases.assertNameIsFree(dbName);
    for (const config of configs) this.#parts.reconfiguration.configure(config);
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
        if (this.isReconfiguring(name))
          throw new ReconfigurationPendingError(name, this.database(name).leaseCount, this.options.shutdownTimeoutMS);
      }),
    );
  }

  /** Opens the pool of a database, if it is not. @throws InvalidDatabaseNameError, PoolConnectError, ConnectionBudgetError */
  async connect(name: string): Promise<void> {
    (await this.database(name).enter('operation')).release();
  }

  /** @internal Opens the pool of a database; a failure is told to the `error` listeners and the next call tries again. */
  connectInBackground(name: string): void {
    this.connect(name).catch((error: unknown) =>
      this.events.emit('error', { db: name, error, during: 'connect in the background' }),
    );
  }

  /** @internal As {@link connectEager}, with the failures told to the `error` listeners. */
  connectEagerInBackground(): void {
    for (const pool of this.#parts.pools()) if (!pool.config.coldStart) this.connectInBackground(pool.name);
  }

  /** @internal Has `listener` called when everything is closed. */
  onClosed(listener: () => void): void {
    this.#parts.shutdown.onClosed(listener);
  }

  /**
   * @internal Opens every pool that is not to start cold. Called when the application starts; when one fails, all are closed.
   * @throws PoolConnectError
   */
  async connectEager(): Promise<void> {
    const eager = [...this.#parts.pools()].filter((pool) => !pool.config.coldStart && pool.state === 'cold');
    try {
      await Promise.all(eager.map((pool) => this.connect(pool.name)));
    } catch (error) {
      await this.forceCloseAll();
      throw error;
    }
  }

  /** @internal Has `observer` run each call of models and collections; gives the function that takes it back. */
  onOperation(observer: OperationObserver): () => void {
    return this.#parts.operations.add(observer);
  }

  /** @internal Shows `visit` the driver's client of each pool, those that there are and each that will be made. */
  onClient(visit: (pool: string, client: mongo.MongoClient) => void): () => void {
    for (const pool of this.#parts.pools()) if (pool.madeClient) visit(pool.name, pool.madeClient);
    return this.events.on('client', ({ pool, client }) => visit(pool, client));
  }

  /** Lets a database's handle go: disconnect hooks run, its models are forgotten. Whoever kept one can still use it. */
  async release(name: string, reason: string): Promise<void> {
    await this.#parts.release(name, reason);
  }

  /** Closes the pool that a database has for itself; its next use opens it again. Shared databases: {@link release}. */
  async disconnect(name: string, reason: string): Promise<void> {
    const own = this.#parts.separate.get(name);
    if (own) await own.close(reason);
    else await this.release(name, reason);
  }

  /** Ends everything in order: streams complete, running work ends (up to `shutdownTimeoutMS`), hooks run, pools close. Final. */
  closeAll(): Promise<void> {
    return this.#parts.shutdown.begin(false);
  }

  /** As {@link closeAll}, but waits for no running work. */
  forceCloseAll(): Promise<void> {
    return this.#parts.shutdown.begin(true);
  }

  /**
   * @internal Has the change streams of these databases end, all when none are named; waits for them up to `shutdownTimeoutMS`.
   * All of them is the first phase of a shutdown, and part of its time.
   */
  completeStreams(dbs: readonly string[] | 'all' = 'all'): Promise<void> {
    return this.#parts.shutdown.completeStreams(dbs);
  }

  /** What `console.log` and `JSON.stringify` show of it. */
  toJSON(): unknown {
    const { primary, isShuttingDown, options } = this;
    return {
      isShuttingDown,
      primary,
      separate: [...this.#parts.separate.values()],
      databases: [...this.databases.keys()],
      options,
    };
  }
}

showAsJSON(PolyMongoPools.prototype);
