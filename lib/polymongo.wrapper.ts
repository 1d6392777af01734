import mongoose, { type mongo } from 'mongoose';
import { recordPlugins } from './providers/models/connection.recorder.js';
import { ModelRegistry } from './providers/models/model.registry.js';
import type { AnyModel, PolyModelOf } from './providers/models/model.types.js';
import { resolveOptions, type PolyMongoOptions, type ResolvedOptions } from './polymongo.options.js';
import type { ScaleOptions } from './polymongo.pool-options.js';
import { showAsJSON } from './polymongo.secrets.js';
import { PolyMongoBackups } from './providers/bulk/backup/polymongo-backups.provider.js';
import { PolyMongoMoves } from './providers/bulk/move/polymongo-moves.provider.js';
import { PolyMongoBulk } from './providers/bulk/polymongo-bulk.provider.js';
import { PolyMongoHealth } from './providers/health/polymongo-health.provider.js';
import {
  PolyMongoHooks,
  type DbErrorHook,
  type DbHook,
  type Unregister,
} from './providers/hooks/polymongo-hooks.provider.js';
import { createSink } from './providers/logging/log.sink.js';
import { PolyMongoLog } from './providers/logging/polymongo.log.js';
import type { MigrationsOptions } from './providers/migrations/migration.options.js';
import { assembleMigrations, type MigrationFactory } from './providers/migrations/migrations.assembly.js';
import type { PolyMongoMigrations } from './providers/migrations/polymongo-migrations.provider.js';
import type { MigratorHost } from './providers/migrations/tenant.migrator.js';
import { checkPrivatePlaces } from './providers/native/private.check.js';
import { PolyMongoPools } from './providers/pools/polymongo-pools.provider.js';
import { READY_STATE } from './providers/pools/pool-state.js';
import { closeOnSignals } from './providers/pools/process.signals.js';
import { PolyMongoStats } from './providers/stats/polymongo-stats.provider.js';
import { PolyMongoTenants } from './providers/tenant/polymongo-tenants.provider.js';
import { managerScope, TenantContext } from './providers/tenant/tenant.context.js';
import { TenantDatabases } from './providers/tenant/tenant.databases.js';
import { TenantDirectory } from './providers/tenant/tenant.directory.js';
import { TenantEntry } from './providers/tenant/tenant.entry.js';
import { TenantRegistry } from './providers/tenant/tenant.registry.js';
import { WrappedModels } from './providers/tenant/wrapped.models.js';
import { TenantSuspensions } from './providers/tenant/tenant.suspensions.js';
import {
  PolyMongoTransactions,
  type TransactionFunction,
} from './providers/transaction/polymongo-transactions.provider.js';
import type { InTransactionOptions, TransactionRunOptions } from './providers/transaction/transaction.options.js';
import type { ChangeObservable } from './providers/watch/change.observable.js';
import type { Change } from './providers/watch/change.types.js';
import { PolyMongoWatch, type DatabaseWatchOptions } from './providers/watch/polymongo-watch.provider.js';
import type { WatchOptions } from './providers/watch/watch.options.js';

/** The state of a connection in mongoose's words. */
export type ConnectionState = 'connected' | 'connecting' | 'disconnecting' | 'disconnected';

/**
 * Many MongoDB databases behind one set of models. The façade over everything this package does, with or without Nest;
 * in a Nest application `PolyMongoModule` makes it, and each part can be injected on its own.
 *
 * @example
 * const polymongo = new PolyMongoWrapper({ mongoURI: 'mongodb://localhost:27017' });
 * const User = polymongo.wrapModel(mongoose.model('User', schema));
 * await User.find();
 * await User.db('archive').find();
 */
export class PolyMongoWrapper {
  /** @internal With every default filled in, checked and frozen. */
  readonly options: ResolvedOptions;
  /** All pools and databases. */
  readonly pools: PolyMongoPools;
  /** @internal */
  readonly models: ModelRegistry;
  /** Callbacks for databases that connect, disconnect and fail. */
  readonly hooks: PolyMongoHooks;
  /** What pools and databases are doing: `general()`, `db(name)`, `listDatabases()` and more. */
  readonly stats: PolyMongoStats;
  /** Whether the databases can be used: `check()`. */
  readonly health: PolyMongoHealth;
  /** Copies, drops, exports and imports whole databases. */
  readonly bulkTasks: PolyMongoBulk;
  /** The current tenant. */
  readonly tenantContext: TenantContext;
  /** @internal */
  readonly tenantDatabases: TenantDatabases;
  /** @internal */
  readonly tenantDirectory: TenantDirectory;
  /** @internal */
  readonly tenantEntry: TenantEntry;
  /** Makes and drops tenants, and runs code as one or as each of them. */
  readonly tenants: PolyMongoTenants;
  /** What {@link transaction} runs in. */
  readonly transactions: PolyMongoTransactions;
  /** Change streams; see {@link watch$}. */
  readonly watch: PolyMongoWatch;
  /** Gives databases a pool of their own, or another configuration. */
  readonly scale: {
    /** Gives databases a pool of their own, from their next use on; `coldStart: false` connects at once, in the background. */
    setDB(names: string | readonly string[], options?: ScaleOptions): void;
    /** As `setDB`, and resolves when they are connected. */
    connectDB(names: string | readonly string[], options?: ScaleOptions): Promise<void>;
  };
  /** Ends what is open. */
  readonly actions: {
    /** Ends everything in order and waits for running work, up to `shutdownTimeoutMS`. Final. */
    closeAll(): Promise<void>;
    /** Ends everything now. Final. */
    forceCloseAll(): Promise<void>;
    /** Ends the change streams of a database: Observables complete, mongoose's own streams close. */
    closeDBstream(db: string): Promise<void>;
    /** Ends all change streams. */
    closeAllWatches(): Promise<void>;
  };
  #ofFactory: unknown;
  readonly #wrappedModels: WrappedModels;

  /**
   * Connects nothing before it is used, except pools with `coldStart: false`, in the background. SIGINT, SIGTERM and
   * SIGUSR2 close everything and then take their course, unless `handleSignals` is false.
   * @throws PolyMongoOptionsError that names the option, what was given and what is allowed
   */
  constructor(options: PolyMongoOptions);
  /** @internal Nest connects the eager pools itself: after the hooks of providers are registered. */
  constructor(options: PolyMongoOptions, startEagerPools: (pools: PolyMongoPools) => void);
  constructor(
    options: PolyMongoOptions,
    startEagerPools = (pools: PolyMongoPools): void => pools.connectEagerInBackground(),
  ) {
    checkPrivatePlaces(mongoose);
    this.options = resolveOptions(options);
    this.pools = new PolyMongoPools(this.options);
    this.tenantContext = new TenantContext(this.options.tenant);
    this.models = new ModelRegistry(
      this.pools,
      { watch$: (model, options?: WatchOptions) => this.watch.model$(model, options) },
      () => this.tenantContext.capture(),
    );
    new PolyMongoLog(this.pools, createSink(this.options));
    this.hooks = new PolyMongoHooks(this.pools);
    this.bulkTasks = new PolyMongoBulk(this.pools);
    this.tenantContext.onRefusal((error) => this.pools.events.emit('refused', { error }));
    this.tenantDatabases = new TenantDatabases(this.options.tenant, this.tenantContext, this.options.defaultDB);
    this.#wrappedModels = new WrappedModels(this.pools, this.models, this.tenantDatabases);
    this.stats = new PolyMongoStats(this.pools, (name) => this.tenantDatabases.tenantOf(name));
    this.health = new PolyMongoHealth(this.pools);
    const tenantRegistry = new TenantRegistry(this.pools);
    const suspensions = new TenantSuspensions(this.pools, this.options.tenant.suspension);
    this.tenantDirectory = new TenantDirectory(this.pools, this.tenantDatabases, tenantRegistry, suspensions);
    this.tenantEntry = new TenantEntry(this.tenantContext, this.tenantDirectory, this.options.tenant);
    this.tenants = new PolyMongoTenants({
      pools: this.pools,
      databases: this.tenantDatabases,
      directory: this.tenantDirectory,
      registry: tenantRegistry,
      suspensions,
      sizesOf: (name) => this.stats.db(name),
    });
    this.tenants.onBackups(
      new PolyMongoBackups({
        pools: this.pools,
        bulk: this.bulkTasks,
        tenants: this.tenants,
        databases: this.tenantDatabases,
        directory: this.tenantDirectory,
        suspensions,
      }),
    );
    this.tenants.onMoves(
      new PolyMongoMoves({
        pools: this.pools,
        databases: this.tenantDatabases,
        directory: this.tenantDirectory,
        registry: tenantRegistry,
        suspensions,
      }),
    );
    this.watch = new PolyMongoWatch(this.pools, this.models);
    const { pools, models, tenantContext, tenantDatabases } = this;
    this.transactions = new PolyMongoTransactions({
      pools,
      prepare: (database) => models.prepareAll(database),
      tenant: () => tenantContext.scope?.tenantId,
      tenantDatabase: () => tenantDatabases.currentTenants(),
      tenantOf: (dbName) => tenantDatabases.namedOwnerOf(dbName),
    });
    tenantContext.onSwitch((from, to) => this.transactions.assertTenantStays(from, to));
    this.scale = {
      setDB: (names, scaleOptions) => pools.setDB(names, scaleOptions),
      connectDB: (names, scaleOptions) => pools.connectDB(names, scaleOptions),
    };
    this.actions = {
      closeAll: () => pools.closeAll(),
      forceCloseAll: () => pools.forceCloseAll(),
      closeDBstream: (db) => this.watch.closeDBstream(db),
      closeAllWatches: () => this.watch.closeAllWatches(),
    };
    if (this.options.connectionFactory) this.#ofFactory = this.#runConnectionFactory(this.options.connectionFactory);
    if (this.options.handleSignals) closeOnSignals(pools);
    startEagerPools(pools);
  }

  /** `closeAll()` or `forceCloseAll()` has been called. */
  get isShuttingDown(): boolean {
    return this.pools.isShuttingDown;
  }

  /**
   * Gives a mongoose model `.db(name)`, `.tenant()` and `.watch$()`. The same model again, or the wrapper, gives the same wrapper.
   * @throws ModelAlreadyRegisteredError; TenantModelWrapError for a model that {@link tenantModel} gave
   */
  wrapModel<M extends AnyModel>(model: M): PolyModelOf<M> {
    return this.#wrappedModels.wrap(model);
  }

  /** A model that is the current tenant's at each call. */
  tenantModel<M extends AnyModel>(model: M): M {
    return this.#wrappedModels.ofTenant(model);
  }

  /** Runs `fn` in a transaction that every wrapped model of its pool joins. See {@link PolyMongoTransactions.run}. */
  transaction<T>(fn: TransactionFunction<T>, options?: InTransactionOptions): Promise<T>;
  /** With `propagation: 'never'` there is no transaction, and `fn` is given no session. */
  transaction<T>(
    fn: TransactionFunction<T, mongo.ClientSession | undefined>,
    options: TransactionRunOptions,
  ): Promise<T>;
  transaction<T>(fn: TransactionFunction<T, never>, options?: TransactionRunOptions): Promise<T> {
    return this.transactions.run(fn as TransactionFunction<T>, options as InTransactionOptions);
  }

  /**
   * Reads the migrations of a folder and of classes, for `tenants.migrate` and for `tenants.provision`.
   * @param make makes the instance of a class. Default: `new`
   * @throws PolyMongoOptionsError, MigrationDefinitionError
   */
  useMigrations(
    options: MigrationsOptions,
    make: MigrationFactory = (type) => new type(),
  ): Promise<PolyMongoMigrations> {
    return assembleMigrations(this, this.#migratorHost(), options, make);
  }

  /** The changes of a database, or of the whole cluster, as an Observable. See {@link PolyMongoWatch.watch$}. */
  watch$(options?: DatabaseWatchOptions): ChangeObservable<Change> {
    return this.watch.watch$(options);
  }

  /** Runs `hook` after any database has become usable. See {@link PolyMongoHooks.onDbConnect}. */
  onDbConnect(hook: DbHook): Unregister {
    return this.hooks.onDbConnect(hook);
  }

  /** Runs `hook` before any database disconnects. See {@link PolyMongoHooks.onDbDisconnect}. */
  onDbDisconnect(hook: DbHook): Unregister {
    return this.hooks.onDbDisconnect(hook);
  }

  /** As {@link onDbConnect}, for these databases only. */
  onTheseDBConnect(names: string | readonly string[], hook: DbHook): Unregister {
    return this.hooks.onTheseDBConnect(names, hook);
  }

  /** As {@link onDbDisconnect}, for these databases only. */
  onTheseDBDisconnect(names: string | readonly string[], hook: DbHook): Unregister {
    return this.hooks.onTheseDBDisconnect(names, hook);
  }

  /** Runs `hook` when something failed that no caller hears of. See {@link PolyMongoHooks.onDbError}. */
  onDbError(hook: DbErrorHook): Unregister {
    return this.hooks.onDbError(hook);
  }

  /** As {@link onDbError}, for these databases only. */
  onTheseDBError(names: string | readonly string[], hook: DbErrorHook): Unregister {
    return this.hooks.onTheseDBError(names, hook);
  }

  /** @internal The default database's connection, or what the `connectionFactory` gave for it, which may be a promise. */
  get connection(): unknown {
    return this.#ofFactory ?? this.pools.connectionOf(this.options.defaultDB);
  }

  #runConnectionFactory(connectionFactory: NonNullable<PolyMongoOptions['connectionFactory']>): unknown {
    const { defaultDB } = this.options;
    const connection = this.pools.connectionOf(defaultDB);
    const recorder = recordPlugins(connection, (plugin) => this.models.usePlugin(plugin));
    const unrecorded = (made: unknown) => (made === recorder ? connection : made);
    const made = connectionFactory(recorder, defaultDB);
    return made instanceof Promise ? made.then(unrecorded) : unrecorded(made);
  }

  #migratorHost(): MigratorHost {
    const { pools, models, tenantContext, tenantDatabases, transactions } = this;
    return {
      databaseOf: (tenantId) => pools.database(tenantDatabases.of(tenantId)),
      asManager: (tenantId, fn) => tenantContext.within(managerScope(tenantId), fn),
      transaction: (fn, db) => transactions.runUnprepared(fn, db, { writeConcern: { w: 'majority' } }),
      model: (database, name) => models.modelOn(database, models.blueprint(name)),
    };
  }

  /** What `console.log` and `JSON.stringify` show of it. */
  toJSON(): unknown {
    return { connectionState: this.getConnectionState(), pools: this.pools };
  }

  /** The primary pool is open and its cluster answers. */
  isConnected(): boolean {
    return this.pools.primary.isReachable;
  }

  /** The state of the primary pool in mongoose's words: 'connected', 'connecting', 'disconnecting' or 'disconnected'. */
  getConnectionState(): ConnectionState {
    return mongoose.STATES[READY_STATE[this.pools.primary.state]] as ConnectionState;
  }
}

showAsJSON(PolyMongoWrapper.prototype);
