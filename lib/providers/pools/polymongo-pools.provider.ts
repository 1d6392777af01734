import { isDeepStrictEqual } from 'node:util';
import mongoose from 'mongoose';
import type { Mongoose, mongo } from 'mongoose';
import { InvalidDatabaseNameError, PolyMongoError } from '../../polymongo.errors.js';
import { PolyMongoClosedError, ReconfigurationPendingError } from './pool.errors.js';
import { checkDatabaseName } from '../../polymongo.checks.js';
import { PolyMongoEvents } from '../../polymongo.events.js';
import type { ResolvedOptions } from '../../polymongo.options.js';
import { resolveScaleOptions, type PoolConfig, type ScaleOptions } from '../../polymongo.pool-options.js';
import { outsideTransaction } from './active.transaction.js';
import { ConnectionBudget } from './connection.budget.js';
import { Database, type DatabaseHost } from './database.js';
import type { DatabaseConnection } from './database.connection.js';
import { DatabasePool, type CloseUrgency, type PoolHost } from './database.pool.js';
import { within } from './deadline.js';

/** All pools and databases of one module: the one place where connections are opened and closed. */
export class PolyMongoPools implements DatabaseHost, PoolHost {
  readonly budget: ConnectionBudget;
  readonly retry;
  readonly shutdownTimeoutMS: number;
  readonly primary: DatabasePool;
  readonly #separate = new Map<string, DatabasePool>();
  readonly #databases = new Map<string, Database>();
  /** The databases that are cached or configured, by their name in lower case. */
  readonly #names = new Map<string, string>();
  /** Let go, but perhaps still kept by somebody: one database never has two handles. */
  readonly #released = new Map<string, WeakRef<Database>>();
  readonly #forgotten = new FinalizationRegistry<string>((name) => {
    if (!this.#released.get(name)?.deref()) this.#released.delete(name);
  });
  /** Configurations that wait for the work on their database to end. */
  readonly #pending = new Map<string, PoolConfig>();
  readonly #reconfiguring = new Set<string>();
  readonly #setups: ((database: Database) => void)[] = [];
  readonly #onClosed: (() => void)[] = [];
  #uses = 0;
  #isShuttingDown = false;
  #closing: Promise<void> | undefined;
  #forceClose = () => {};
  #base: Mongoose = mongoose;
  #ensureIndexes: ((database: Database) => Promise<void>) | undefined;

  constructor(
    readonly options: ResolvedOptions,
    readonly events: PolyMongoEvents = new PolyMongoEvents(),
  ) {
    this.retry = options.retry;
    this.shutdownTimeoutMS = options.shutdownTimeoutMS;
    this.budget = new ConnectionBudget(options.maxTotalConnections, () => this.#makeRoom());
    this.primary = new DatabasePool(options.primary, this);
    for (const config of options.dbSpecific) this.#configure(config);
  }

  /** `closeAll()` or `forceCloseAll()` has been called; nothing new starts. */
  get isShuttingDown(): boolean {
    return this.#isShuttingDown;
  }

  /** The databases with a pool of their own, open or not. */
  get separate(): ReadonlyMap<string, DatabasePool> {
    return this.#separate;
  }

  /** The databases whose models are in memory. */
  get databases(): ReadonlyMap<string, Database> {
    return this.#databases;
  }

  /** The handle of a database, the same one until it is let go. @throws InvalidDatabaseNameError */
  database(name: string): Database {
    return this.#databases.get(name) ?? this.#released.get(name)?.deref() ?? this.#addDatabase(name);
  }

  connectionOf(name: string): DatabaseConnection {
    return this.database(name).connection;
  }

  poolOf(name: string): DatabasePool {
    return this.#separate.get(name) ?? this.primary;
  }

  nameOfClient(client: mongo.MongoClient): string | undefined {
    for (const pool of this.#pools()) if (pool.state !== 'cold' && pool.client === client) return pool.name;
    return undefined;
  }

  /** The mongoose instance that models are compiled with. */
  get mongoose(): Mongoose {
    return this.#base;
  }

  /** Has `build` make the collections and indexes of a database when {@link ensureIndexes} is called. */
  onEnsureIndexes(build: (database: Database) => Promise<void>): void {
    this.#ensureIndexes = build;
  }

  /** Makes the collections and indexes of every registered model on a database, whatever `autoIndex` says. */
  async ensureIndexes(name: string): Promise<void> {
    const database = this.database(name);
    await database.run(async () => this.#ensureIndexes?.(database));
  }

  /** Has `setup` see each database when it is made, before anybody uses it. */
  onDatabase(setup: (database: Database) => void): void {
    this.#setups.push(setup);
    for (const database of this.#databases.values()) setup(database);
  }

  /** The mongoose instance that connections and models belong to, when it is not the default one. */
  useMongoose(base: Mongoose): void {
    if (this.#databases.size > 0 && base !== this.#base) {
      throw new PolyMongoError(
        'Models of two mongoose instances cannot share one PolyMongo. Compile them all with the same instance.',
      );
    }
    this.#base = base;
  }

  /**
   * Gives databases a pool of their own, or another configuration, from their next use on. On one that is in use, work
   * that has begun ends on the old pool while new calls wait; then the new pool takes over. When the work has not ended
   * after `shutdownTimeoutMS`, the old pool serves on, and the new one takes over as soon as it has. Nothing is dropped,
   * and the two never serve at the same time. The configuration that there is already changes nothing.
   * @throws PolyMongoOptionsError, InvalidDatabaseNameError
   */
  setDB(names: string | readonly string[], options: ScaleOptions = {}): void {
    this.#assertOpen();
    const configs = [names].flat().map((name) => resolveScaleOptions(this.options, name, options));
    for (const { dbName } of configs) this.#assertSameCase(dbName);
    for (const config of configs) this.#configure(config);
  }

  /**
   * As {@link setDB}, and resolves when all of them are connected.
   * @throws PoolConnectError with the reason; ReconfigurationPendingError when work on the old pool does not end in time
   */
  async connectDB(names: string | readonly string[], options: ScaleOptions = {}): Promise<void> {
    this.setDB(names, options);
    await Promise.all(
      [names].flat().map(async (name) => {
        await this.connect(name);
        if (this.#pending.has(name))
          throw new ReconfigurationPendingError(name, this.database(name).leaseCount, this.shutdownTimeoutMS);
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
    this.#onClosed.push(listener);
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
    const database = this.#databases.get(name);
    if (!database) return;
    this.#databases.delete(name);
    if (!this.#separate.has(name)) this.#names.delete(name.toLowerCase());
    database.isCached = false;
    database.forgetContents();
    this.#released.set(name, new WeakRef(database));
    this.#forgotten.register(database, name);
    this.events.emit('released', { db: name });
    await this.#leave(database, reason);
  }

  /** Closes the pool that a database has for itself; its next use opens it again. Shared databases: {@link release}. */
  async disconnect(name: string, reason: string): Promise<void> {
    const own = this.#separate.get(name);
    if (own) await own.close(reason);
    else await this.release(name, reason);
  }

  /** Ends everything in order: streams complete, running work ends (up to `shutdownTimeoutMS`), hooks run, pools close. Final. */
  closeAll(): Promise<void> {
    return this.#shutDown(false);
  }

  /** As {@link closeAll}, but waits for no running work. */
  forceCloseAll(): Promise<void> {
    return this.#shutDown(true);
  }

  /** Has the change streams of these databases end, all when none are named; waits for them up to `shutdownTimeoutMS`. */
  async completeStreams(dbs: readonly string[] | 'all' = 'all'): Promise<void> {
    await within(this.shutdownTimeoutMS, this.events.emitAndWait('streams', { dbs, action: 'complete' }));
  }

  touch(database: Database): void {
    database.lastUse = ++this.#uses;
    database.lastAccessed = Date.now();
    if (!database.isCached) this.#keep(database);
    if (database.announcement === 'none') outsideTransaction(() => this.#announce(database));
  }

  async beforeClose(pool: DatabasePool, reason: string): Promise<void> {
    const served = [...this.#databases.values()].filter(({ name }) => this.poolOf(name) === pool);
    await Promise.all(served.map((database) => this.#leave(database, reason)));
  }

  onFreed(pool: DatabasePool): void {
    if (!this.budget.isContended) return;
    if (pool.leaseCount === 0) void pool.close('evicted', 'patient');
    else this.#makeRoom();
  }

  onDatabaseFreed(database: Database): void {
    if (this.#pending.has(database.name)) void this.#reconfigure(database.name);
    // More than the bound were busy at once.
    if (this.#databases.size - this.#separate.size > this.options.maxCachedDatabases) this.#releaseLeastRecentlyUsed();
  }

  #announce(database: Database): void {
    const { name, connection } = database;
    database.announcement = 'announced';
    this.#guarded(name, 'onConnectionCreate', () => this.poolOf(name).config.onConnectionCreate?.(connection, name));
    this.#guarded(name, "a listener of the connection's events", () => connection.emit('connected'));
    this.events.emit('connected', { db: name, connection });
  }

  async #leave(database: Database, reason: string): Promise<void> {
    if (database.announcement !== 'announced') return;
    const { name, connection } = database;
    database.announcement = 'leaving';
    await this.events.emitAndWait('disconnecting', { db: name, connection, reason });
    database.announcement = 'none';
    this.#guarded(name, "a listener of the connection's events", () => connection.emit('disconnected'));
  }

  /** What users gave us to call never fails the operation that happened to cause it. */
  #guarded(db: string, during: string, call: () => unknown): void {
    try {
      call();
    } catch (error) {
      this.events.emit('error', { db, error, during });
    }
  }

  #addDatabase(name: string): Database {
    checkDatabaseName(name);
    this.#assertSameCase(name);
    const database = new Database(name, this, this.#base);
    this.#keep(database);
    for (const setup of this.#setups) setup(database);
    return database;
  }

  #assertSameCase(name: string): void {
    const other = this.#names.get(name.toLowerCase());
    if (other === undefined || other === name) return;
    throw new InvalidDatabaseNameError(`differs only in case from "${other}", which MongoDB does not allow`);
  }

  #keep(database: Database): void {
    const { name } = database;
    database.isCached = true;
    database.lastUse = ++this.#uses;
    this.#released.delete(name);
    this.#names.set(name.toLowerCase(), name);
    this.#databases.set(name, database);
    if (this.#databases.size > this.options.maxCachedDatabases) this.#releaseLeastRecentlyUsed(database);
  }

  #configure(config: PoolConfig): void {
    const { dbName } = config;
    const own = this.#separate.get(dbName);
    if (isDeepStrictEqual(this.#pending.get(dbName) ?? own?.config, config)) return;
    const database = this.#databases.get(dbName) ?? this.#released.get(dbName)?.deref();
    const isInUse = database && (database.leaseCount > 0 || (!own && database.isAnnounced));
    if (!isInUse && (!own || own.isAtRest)) return this.#replace(config);
    this.#pending.set(dbName, config);
    this.events.emit('streams', { dbs: [dbName], action: 'resume' });
    void this.#reconfigure(dbName);
  }

  async #reconfigure(name: string): Promise<void> {
    if (this.#reconfiguring.has(name)) return;
    const database = this.database(name);
    this.#reconfiguring.add(name);
    database.suspend();
    try {
      if (!(await database.drain(this.shutdownTimeoutMS))) return;
      const own = this.#separate.get(name);
      if (own) {
        if (!(await own.close('reconfigured', 'patient'))) return;
      } else await this.#leaveShared(database);
      const config = this.#pending.get(name);
      if (config && !this.#isShuttingDown) this.#replace(config);
    } finally {
      this.#reconfiguring.delete(name);
      database.resume();
    }
  }

  /** A database moves out of the primary pool, which stays open. */
  async #leaveShared(database: Database): Promise<void> {
    const farewell = this.primary.lease('operation', database);
    await farewell.during(() => this.#leave(database, 'reconfigured'));
    farewell.release();
  }

  #replace(config: PoolConfig): void {
    const { dbName } = config;
    const own = this.#separate.get(dbName);
    if (own?.state === 'cold') void own.close('reconfigured');
    this.#pending.delete(dbName);
    this.#separate.set(dbName, new DatabasePool(config, this));
    this.#names.set(dbName.toLowerCase(), dbName);
    this.#databases.get(dbName)?.forgetContents();
    this.events.emit('statistics', { pool: dbName });
  }

  /** Only shared databases count; one with a pool of its own costs that pool anyway. */
  #releaseLeastRecentlyUsed(except?: Database): void {
    const shared = [...this.#databases.values()].filter(({ name }) => !this.#separate.has(name));
    const free = shared
      .filter(
        (database) => database !== except && database.name !== this.options.defaultDB && database.leaseCount === 0,
      )
      .sort((a, b) => a.lastUse - b.lastUse);
    for (const { name } of free.slice(0, Math.max(0, shared.length - this.options.maxCachedDatabases)))
      void this.release(name, 'evicted');
  }

  /** Closes the least recently used pool without a lease; when all are busy, the one open longest that will be free soon. */
  #makeRoom(): void {
    const open = [...this.#pools()].filter((pool) => pool.state === 'connected');
    const free = open.filter((pool) => pool.leaseCount === 0).sort((a, b) => (a.lastUsed ?? 0) - (b.lastUsed ?? 0));
    const soonFree = open.filter((pool) => !pool.hasLongLease).sort((a, b) => a.openedAt - b.openedAt);
    void (free[0] ?? soonFree[0])?.close('evicted', 'patient');
  }

  *#pools(): Iterable<DatabasePool> {
    yield this.primary;
    yield* this.#separate.values();
  }

  #assertOpen(): void {
    if (this.#isShuttingDown) throw new PolyMongoClosedError();
  }

  #shutDown(isForced: boolean): Promise<void> {
    if (isForced) this.#forceClose();
    return (this.#closing ??= this.#closeEverything(isForced));
  }

  async #closeEverything(isForced: boolean): Promise<void> {
    this.#isShuttingDown = true;
    let urgency: CloseUrgency = isForced ? 'now' : 'deadline';
    const forced = new Promise<void>((resolve) => {
      this.#forceClose = () => {
        urgency = 'now';
        resolve();
        for (const pool of this.#pools()) void pool.close('forced', urgency);
      };
    });
    for (const database of this.#databases.values()) database.resume();
    const streams = this.completeStreams();
    if (!isForced) await Promise.race([streams, forced]);
    await Promise.all([...this.#pools()].map((pool) => pool.close('shutdown', urgency)));
    for (const name of [...this.#databases.keys()]) await this.release(name, 'shutdown');
    for (const listener of this.#onClosed) listener();
  }
}
