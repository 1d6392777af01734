import mongoose from 'mongoose';
import type { Mongoose, mongo } from 'mongoose';
import { InvalidDatabaseNameError, PolyMongoClosedError, PolyMongoError } from '../../polymongo.errors.js';
import { checkDatabaseName } from '../../polymongo.checks.js';
import { PolyMongoEvents } from '../../polymongo.events.js';
import {
  resolveScaleOptions,
  type PoolConfig,
  type ResolvedOptions,
  type ScaleOptions,
} from '../../polymongo.options.js';
import { outsideTransaction } from './active.transaction.js';
import { ConnectionBudget } from './connection.budget.js';
import { Database, type DatabaseHost } from './database.js';
import type { DatabaseConnection } from './database.connection.js';
import { DatabasePool, type PoolHost } from './database.pool.js';
import { within } from './deadline.js';

/** All pools and databases of one module: the one place where connections are opened and closed. */
export class PolyMongoPools implements DatabaseHost, PoolHost {
  readonly budget: ConnectionBudget;
  readonly retry;
  readonly shutdownTimeoutMS: number;
  readonly primary: DatabasePool;
  readonly #separate = new Map<string, DatabasePool>();
  readonly #databases = new Map<string, Database>();
  readonly #names = new Map<string, string>();
  readonly #setups: ((database: Database) => void)[] = [];
  readonly #onClosed: (() => void)[] = [];
  #uses = 0;
  #isShuttingDown = false;
  #closing: Promise<void> | undefined;
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
    return this.#databases.get(name) ?? this.#addDatabase(name);
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
   * Gives databases a pool of their own, from their next use on. A pool that is open is drained first: its running
   * work ends on it, new calls wait, and the new pool opens when the old one is gone.
   * @throws PolyMongoOptionsError, InvalidDatabaseNameError
   */
  setDB(names: string | readonly string[], options: ScaleOptions = {}): void {
    this.#assertOpen();
    const configs = [names].flat().map((name) => resolveScaleOptions(this.options, name, options));
    for (const config of configs) this.#configure(config);
  }

  /** As {@link setDB}, and resolves when all of them are connected. @throws PoolConnectError with the reason */
  async connectDB(names: string | readonly string[], options: ScaleOptions = {}): Promise<void> {
    this.setDB(names, options);
    await Promise.all([names].flat().map((name) => this.connect(name)));
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

  /** Opens every pool that is not to start cold. Called when the application starts. */
  async connectEager(): Promise<void> {
    const eager = [...this.#pools()].filter((pool) => !pool.config.coldStart && pool.state === 'cold');
    await Promise.all(eager.map((pool) => this.connect(pool.name)));
  }

  /** Lets a database's handle go: disconnect hooks run, its models are forgotten. Whoever kept one can still use it. */
  async release(name: string, reason: string): Promise<void> {
    const database = this.#databases.get(name);
    if (!database) return;
    this.#databases.delete(name);
    this.#names.delete(name.toLowerCase());
    this.events.emit('released', { db: name });
    await this.#unannounce(database, reason);
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
  async completeStreams(dbs: readonly string[] = [...this.#databases.keys()]): Promise<void> {
    await within(this.shutdownTimeoutMS, this.events.emitAndWait('streams', { dbs, action: 'complete' }));
  }

  touch(database: Database): void {
    database.lastUse = ++this.#uses;
    database.lastAccessed = Date.now();
    if (database.isAnnounced) return;
    database.isAnnounced = true;
    const { name, connection } = database;
    outsideTransaction(() => {
      this.poolOf(name).config.onConnectionCreate?.(connection, name);
      connection.emit('connected');
      this.events.emit('connected', { db: name, connection });
    });
  }

  async beforeClose(pool: DatabasePool, reason: string): Promise<void> {
    const served = [...this.#databases.values()].filter(
      (database) => database.isAnnounced && this.poolOf(database.name).name === pool.name,
    );
    await Promise.all(served.map((database) => this.#unannounce(database, reason)));
  }

  onIdle(pool: DatabasePool): void {
    if (this.budget.isContended && pool.leaseCount === 0) void pool.close('evicted');
  }

  async #unannounce(database: Database, reason: string): Promise<void> {
    if (!database.isAnnounced) return;
    database.isAnnounced = false;
    await this.events.emitAndWait('disconnecting', { db: database.name, connection: database.connection, reason });
    database.connection.emit('disconnected');
  }

  #addDatabase(name: string): Database {
    checkDatabaseName(name);
    const other = this.#names.get(name.toLowerCase());
    if (other !== undefined && other !== name) {
      throw new InvalidDatabaseNameError(`differs only in case from "${other}", which MongoDB does not allow`);
    }
    const database = new Database(name, this, this.#base);
    this.#names.set(name.toLowerCase(), name);
    this.#databases.set(name, database);
    database.lastUse = ++this.#uses;
    for (const setup of this.#setups) setup(database);
    if (this.#databases.size > this.options.maxCachedDatabases) this.#releaseLeastRecentlyUsed(name);
    return database;
  }

  #configure(config: PoolConfig): void {
    const old = this.#separate.get(config.dbName);
    this.#separate.set(config.dbName, new DatabasePool(config, this, old));
    if (old && old.state !== 'cold') {
      this.events.emit('streams', { dbs: [config.dbName], action: 'resume' });
      void old.close('reconfigured');
    }
  }

  #releaseLeastRecentlyUsed(except: string): void {
    let oldest: Database | undefined;
    for (const database of this.#databases.values()) {
      if (database.name === except || database.name === this.options.defaultDB || database.leaseCount > 0) continue;
      if (!oldest || database.lastUse < oldest.lastUse) oldest = database;
    }
    if (oldest) void this.release(oldest.name, 'evicted');
  }

  /** Closes the least recently used pool without a lease; when all are busy, the one open longest that will be free soon. */
  #makeRoom(): void {
    const open = [...this.#pools()].filter((pool) => pool.state === 'connected');
    const free = open.filter((pool) => pool.leaseCount === 0).sort((a, b) => (a.lastUsed ?? 0) - (b.lastUsed ?? 0));
    const soonFree = open.filter((pool) => !pool.hasLongLease).sort((a, b) => a.openedAt - b.openedAt);
    void (free[0] ?? soonFree[0])?.close('evicted');
  }

  *#pools(): Iterable<DatabasePool> {
    yield this.primary;
    yield* this.#separate.values();
  }

  #assertOpen(): void {
    if (this.#isShuttingDown) throw new PolyMongoClosedError();
  }

  #shutDown(isForced: boolean): Promise<void> {
    if (this.#closing && isForced) for (const pool of this.#pools()) void pool.close('forced', true);
    return (this.#closing ??= this.#closeEverything(isForced));
  }

  async #closeEverything(isForced: boolean): Promise<void> {
    this.#isShuttingDown = true;
    const streams = this.completeStreams();
    if (!isForced) await streams;
    await Promise.all([...this.#pools()].map((pool) => pool.close('shutdown', isForced)));
    for (const name of [...this.#databases.keys()]) await this.release(name, 'shutdown');
    for (const listener of this.#onClosed) listener();
  }
}
