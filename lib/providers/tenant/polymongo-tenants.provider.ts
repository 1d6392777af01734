import type { Observable } from 'rxjs';
import { checkOptions, checks, checkValue, type Checks } from '../../polymongo.checks.js';
import { MigrationsMissingError, TenantConfirmationError } from './tenant-work.errors.js';
import type { IndexPlan, SyncIndexesOptions } from '../databases/database.indexes.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { carry } from './tenant.carrier.js';
import type {
  BackupManifest,
  BackupOptions,
  CloneOptions,
  RestoreOptions,
  TenantBackups,
  TenantRestoration,
  VerifyOptions,
} from './tenant.backups.js';
import { keepContext } from '../sessions/subscriber.context.js';
import type { TenantDatabases } from './tenant.databases.js';
import { databaseKey } from '../../polymongo.database-key.js';
import type { TenantDirectory } from './tenant.directory.js';
import {
  checkForEachOptions,
  endedBy,
  observe,
  type ForEachOptions,
  type TenantResult,
  type TenantTask,
} from './tenant.fan-out.js';
import type { MigrateOptions, TenantMigration, TenantMigrations } from './tenant.migrations.js';
import type {
  MoveOptions,
  MoveProgress,
  MoveWaitOptions,
  RollbackOptions,
  TenantMove,
  TenantMoves,
} from './tenant.moves.js';
import {
  TenantCensus,
  type CensusSources,
  type TenantCriteria,
  type TenantInfo,
  type TenantOverview,
} from './tenant.census.js';
import { TenantProvisioning, type FillTerms, type ProvisionedTenant } from './tenant.provisioning.js';
import type { TenantRegistry } from './tenant.registry.js';
import { TenantRun } from './tenant.run.js';
import type { TenantSuspensions } from './tenant.suspensions.js';
import { TenantUse } from './tenant.use.js';
import { TenantVisits } from './tenant.visits.js';

/** How long provisioning and deprovisioning wait. */
export interface ProvisionOptions {
  /** How long to wait for another process that works on the same tenant, in ms. Default 60000. */
  timeoutMS?: number;
}

const DEPROVISION_CHECKS: Checks<ProvisionOptions & { confirm?: string }> = {
  timeoutMS: checks.durationMS,
  confirm: { allowed: "the tenant's id", accepts: (v) => typeof v === 'string' },
};

/** How a tenant is provisioned. */
export interface NewTenantOptions extends ProvisionOptions {
  /** The cluster that a new tenant is made on, by its name in `clusters`. Default: as `tenant.connection` says, else the primary one. */
  cluster?: string;
}

const NEW_TENANT_CHECKS: Checks<NewTenantOptions> = { timeoutMS: checks.durationMS, cluster: checks.string };

/** Which tenants to look at, and how old what is known of them may be. */
export interface TenantStatsOptions extends ForEachOptions {
  /** How old what is remembered of a tenant may be, in ms. Default 60000; 0 asks its database. */
  maxAgeMS?: number;
}

/** What the tenants are made of. */
export interface TenantParts extends Pick<CensusSources, 'sizesOf'> {
  readonly pools: PolyMongoPools;
  readonly databases: TenantDatabases;
  readonly directory: TenantDirectory;
  readonly registry: TenantRegistry;
  readonly suspensions: TenantSuspensions;
}

const STATS_CHECKS: Checks<Pick<TenantStatsOptions, 'maxAgeMS'>> = { maxAgeMS: checks.durationMS };
const SUSPEND_CHECKS: Checks<{ reason?: string }> = { reason: checks.string };

/** The tenants: making and dropping them, and running code as one or as each of them. */
export class PolyMongoTenants {
  readonly #pools: PolyMongoPools;
  readonly #databases: TenantDatabases;
  readonly #directory: TenantDirectory;
  readonly #registry: TenantRegistry;
  readonly #suspensions: TenantSuspensions;
  readonly #provisioning: TenantProvisioning;
  readonly #census: TenantCensus;
  readonly #visits: TenantVisits;
  #migrations: TenantMigrations | undefined;
  #backups: TenantBackups | undefined;
  #moves: TenantMoves | undefined;

  /** @internal Made by `PolyMongoWrapper`. */
  constructor({ pools, databases, directory, registry, suspensions, sizesOf }: TenantParts) {
    this.#pools = pools;
    this.#databases = databases;
    this.#directory = directory;
    this.#registry = registry;
    this.#suspensions = suspensions;
    this.#provisioning = new TenantProvisioning(pools, databases, directory, registry, suspensions);
    this.#visits = new TenantVisits(pools, databases);
    const use = new TenantUse(pools, databases, registry);
    this.#census = new TenantCensus(pools, databases, registry, suspensions, use, {
      sizesOf,
      versionOf: (tenantId) => this.versionOf(tenantId),
      lookAt: (tenantId, fn) => directory.lookAt(tenantId, fn),
    });
  }

  /**
   * Runs a job, a scheduled task or a script as a tenant, once it is certain that the tenant exists and where it is.
   * @throws InvalidTenantIdError, TenantUnknownError, PolyMongoOptionsError; what `fn` throws
   */
  async run<T>(tenantId: string, fn: () => T): Promise<Awaited<T>> {
    checkValue('fn', fn, checks.function);
    await this.#directory.admitAnew(tenantId);
    const { context } = this.#databases;
    return (await context.run(tenantId, () => settle(fn(), context.capture()!))) as Awaited<T>;
  }

  /** @internal Has these migrations be what {@link migrate} runs, and what a new tenant begins with. */
  onMigrations(migrations: TenantMigrations): void {
    this.#migrations = migrations;
  }

  /** @internal Has these backups be what {@link backup} and its like do. */
  onBackups(backups: TenantBackups): void {
    this.#backups = backups;
  }

  /** @internal Has these moves be what {@link move} and its like do. */
  onMoves(moves: TenantMoves): void {
    this.#moves = moves;
  }

  /** @internal Has `work` make a tenant's database, while this process alone works on it. */
  fill<T>(
    tenantId: string,
    making: 'clone' | 'restore',
    timeoutMS: number,
    work: (terms: FillTerms) => Promise<T>,
  ): Promise<T> {
    return this.#provisioning.fill(tenantId, making, timeoutMS, work);
  }

  /** @internal The tenant's last migration that is done. */
  async versionOf(tenantId: string): Promise<string | undefined> {
    return this.#migrations?.versionOf(tenantId);
  }

  /**
   * Makes a tenant's database: the migrations of a new one, the collections and indexes of every registered model, then the `seed`
   * option's documents, once. Doing it again makes what is missing; two processes at the same time take turns.
   * @throws InvalidTenantIdError, TenantBusyError, TenantTakenOverError; TenantDatabaseTakenError when the id of another tenant
   *   maps to the same database; TenantRemovalError while it is being removed; TenantClusterUnknownError; TenantPlacedError for one
   *   that is on another cluster than `cluster`; what the
   *   seed throws (the tenant is then not ready, and the next `provision` seeds again)
   */
  async provision(tenantId: string, options: NewTenantOptions = {}): Promise<ProvisionedTenant> {
    checkOptions('provision.', options, NEW_TENANT_CHECKS);
    const { timeoutMS = 60_000, cluster } = options;
    return this.#provisioning.provision(tenantId, { timeoutMS, cluster }, this.#migrations);
  }

  /**
   * Drops a tenant. It is locked out of every process first: its change streams complete, its running work ends, its pools
   * close; then its database goes. Processes that are not heard of are waited for as long as their answers of `exists`
   * count, 30 s at most.
   * @param options `confirm`: the tenant's id once more; `timeoutMS`: also how long to wait for running work
   * @throws TenantConfirmationError, InvalidTenantIdError, TenantDatabaseTakenError, TenantBusyError, TenantTakenOverError; TenantInUseError when work for
   *   it does not end in time: it stays locked out then, until it is deprovisioned again
   */
  async deprovision(tenantId: string, options: ProvisionOptions & { confirm?: string } = {}): Promise<void> {
    this.#databases.of(tenantId);
    checkOptions('deprovision.', options, DEPROVISION_CHECKS);
    const { confirm, timeoutMS = 60_000 } = options;
    if (confirm !== tenantId) throw new TenantConfirmationError(tenantId);
    await this.#provisioning.deprovision(tenantId, timeoutMS);
  }

  /**
   * The ids of all tenants, sorted: those provisioned, and those whose database is on the primary cluster. None that
   * `tenant.exists` would not let in: with `'provisioned'`, a database that looks like a tenant's makes no tenant.
   */
  async list(): Promise<string[]> {
    const records = await this.#registry.list();
    const provisioned = records.filter(({ state }) => state === 'ready').map(({ _id }) => _id);
    const { exists } = this.#databases.options;
    this.#directory.recall(provisioned);
    if (exists === 'provisioned') return provisioned.sort();
    const removing = new Set(records.filter(({ state }) => state === 'removing').map(({ _id }) => _id));
    const owners = new Map(records.map(({ _id, database }) => [databaseKey(database), _id]));
    const found = (await this.#databaseNames()).map(
      (name) => owners.get(databaseKey(name)) ?? this.#databases.idOf(name),
    );
    const ids = [...new Set([...provisioned, ...found])].filter((id) => id !== undefined && !removing.has(id));
    return (await this.#directory.known(ids as string[])).sort();
  }

  /**
   * Lets nobody in as this tenant any more, in any process that has `tenant.suspension`, until {@link resume}: 503 or 403.
   * Its change streams complete, running work ends, cursors that are left open are ended after `shutdownTimeoutMS`. Its
   * documents stay; migrations, {@link stats} and bulk work by database go on. Suspending it again changes the reason.
   * Resolves when no process lets it in, `suspension.withinMS` after it is written down.
   * @throws InvalidTenantIdError, TenantUnknownError; SuspensionOffError without `tenant.suspension`
   */
  async suspend(tenantId: string, options: { reason?: string } = {}): Promise<void> {
    checkOptions('suspend.', options, SUSPEND_CHECKS);
    await this.#directory.findAnew(tenantId);
    await this.#suspensions.add(tenantId, options.reason);
  }

  /** Lets a suspended tenant in again: here at once, in other processes within `suspension.withinMS`. */
  async resume(tenantId: string): Promise<void> {
    this.#databases.of(tenantId);
    await this.#suspensions.remove(tenantId);
  }

  /**
   * The tenants that meet all criteria, sorted by id, with what is known without asking their databases: also those that are
   * being provisioned or removed. @throws PolyMongoOptionsError
   */
  find(criteria: TenantCriteria = {}): Promise<TenantInfo[]> {
    return this.#census.find(criteria, () => this.list());
  }

  /**
   * What there is to know of tenants, one or two questions to each database: sizes, documents, last use, version, cluster. What is known of 10,000
   * tenants is remembered, for `maxAgeMS`. Being looked at is no use. Begins when it is awaited, iterated or subscribed to.
   * @throws PolyMongoOptionsError at once; TenantTaskError
   */
  stats({ maxAgeMS = 60_000, ...options }: TenantStatsOptions = {}): TenantRun<TenantOverview> {
    checkOptions('stats.', { maxAgeMS }, STATS_CHECKS);
    checkForEachOptions(options);
    const look = (tenantId: string) => this.#census.overview(tenantId, maxAgeMS);
    return new TenantRun((signal) => this.maintain(look, { ...options, signal }), options.signal);
  }

  /**
   * Has the databases of all tenants have the indexes that the registered models' schemas declare and no others: see
   * `pools.syncIndexes`. With `dryRun` it changes nothing and gives the plans.
   * @throws TenantTaskError, with an IndexMismatchError as its cause when a tenant's documents contradict an index
   */
  async syncIndexes({ dryRun, ...options }: SyncIndexesOptions & ForEachOptions = {}): Promise<
    TenantResult<IndexPlan[]>[]
  > {
    const sync = (tenantId: string) => this.#pools.syncIndexes(this.#databases.of(tenantId), { dryRun });
    return this.forEach(sync, options);
  }

  /**
   * Runs the migrations that have not run, of each tenant in their order, some tenants at a time. Begins when it is awaited,
   * iterated (leaving the loop stops it) or subscribed to (so does unsubscribing). Any number of processes may do it at the
   * same time: each tenant is migrated by one.
   * @throws MigrationsMissingError, PolyMongoOptionsError, MigrationUnknownError at once; TenantTaskError with a
   *   MigrationError as its cause, unless `onError` is `collect`
   */
  migrate(options: MigrateOptions = {}): TenantRun<TenantMigration> {
    if (!this.#migrations) throw new MigrationsMissingError();
    return this.#migrations.up(options);
  }

  /**
   * Writes backups of tenants, of all that {@link list} gives or those of `tenants`: a gzipped archive or export file each, and
   * beside it a manifest, which is written last: what has none is no backup. Begins when it is awaited, iterated or subscribed to.
   * @throws PolyMongoOptionsError at once; TenantTaskError with BackupExistsError, SnapshotExpiredError or BulkTaskError as its cause
   */
  backup(options: BackupOptions): TenantRun<BackupManifest> {
    return this.#backups!.backup(options);
  }

  /**
   * Reads backups to their end and compares them with their manifests: each collection's documents, in whatever order, indexes
   * and options, and every byte.
   * @throws PolyMongoOptionsError at once; TenantTaskError with BackupDamagedError or BackupMissingError as its cause
   */
  verify(options: VerifyOptions): TenantRun<BackupManifest> {
    return this.#backups!.verify(options);
  }

  /**
   * Restores a tenant from its backup, which is verified first. What it has is replaced only with `drop`: the backup is loaded
   * beside it, then the tenant is suspended while one is put in the place of the other. When the process is killed, or it
   * fails, at whatever moment, another `restore` of the same backup goes on.
   * @throws BackupDamagedError, BackupMissingError; TenantNotEmptyError; SuspensionOffError where something is to be replaced
   *   and there is no `tenant.suspension`; TenantBusyError, TenantTakenOverError; BulkTaskError
   */
  restore(tenantId: string, options: RestoreOptions): Promise<TenantRestoration> {
    return this.#backups!.restore(tenantId, options);
  }

  /**
   * Copies a tenant to a new one, which is ready at the end; one that was killed begins anew.
   * @throws TenantUnknownError, TenantNotEmptyError, SnapshotExpiredError, TenantBusyError, TenantTakenOverError; BulkTaskError
   */
  clone(tenantId: string, newId: string, options: CloneOptions = {}): Promise<TenantRestoration> {
    return this.#backups!.clone(tenantId, newId, options);
  }

  /**
   * Moves a tenant to another cluster: it is suspended, and nothing can write where it was, while it is copied and compared; then every
   * process finds it there. What it had stays at the source until {@link confirm} or {@link rollback}. When the process is killed, or
   * it fails, at whatever moment, another `move` goes on, or a `rollback` takes it back. Needs `tenant.suspension` and `clusters`.
   * @throws PolyMongoOptionsError, TenantClusterUnknownError, SuspensionOffError; ClusterUnreachableError where a live process does not
   *   reach the target; TenantNotEmptyError where something is there; MoveRefusedError, MoveDifferenceError, MoveObstructedError;
   *   TenantBusyError, TenantTakenOverError
   */
  move(tenantId: string, options: MoveOptions): Promise<TenantMove> {
    return this.#moves!.move(tenantId, options);
  }

  /**
   * Drops what a tenant that was moved had at the source. Views stay in its place there, on which nobody can write.
   * @throws MoveRefusedError; MoveLeftoverError where something has been written there past the move
   */
  confirm(tenantId: string, options: MoveWaitOptions = {}): Promise<void> {
    return this.#moves!.confirm(tenantId, options);
  }

  /**
   * Takes a move back that was not confirmed, or has not ended: the tenant is where it was, with what it had then.
   * @throws MoveRefusedError; MoveDifferenceError where it has been written to since, unless `discardWrites` is true
   */
  rollback(tenantId: string, options: RollbackOptions = {}): Promise<void> {
    return this.#moves!.rollback(tenantId, options);
  }

  /** The steps of all moves of this process, as they begin. */
  get moves$(): Observable<MoveProgress> {
    return this.#moves!.progress$;
  }

  /**
   * Does something as each tenant, some at a time; resolves with all results when all are done. Suspended tenants are passed
   * over, unless `tenants` names them. @throws TenantTaskError
   */
  async forEach<T>(task: TenantTask<T>, options: ForEachOptions = {}): Promise<TenantResult<T>[]> {
    const results: TenantResult<T>[] = [];
    for await (const result of this.iterate(task, options)) results.push(result);
    return results;
  }

  /** As `forEach`, giving each result when it is there. Leaving the loop stops the work. @throws PolyMongoOptionsError at once */
  iterate<T>(task: TenantTask<T>, options: ForEachOptions = {}): AsyncGenerator<TenantResult<T>, void, undefined> {
    checkValue('task', task, checks.function);
    return this.#visits.begin((tenantId, context) => this.run(tenantId, () => task(tenantId, context)), options, {
      tenants: () => this.#served(),
      admit: (tenantId) => this.#directory.admitAnew(tenantId),
    });
  }

  /** @internal As {@link iterate}, for what makes tenants ready to be served: none has to be, and `task` runs as nobody. */
  maintain<T>(task: TenantTask<T>, options: ForEachOptions): AsyncGenerator<TenantResult<T>, void, undefined> {
    return this.#visits.begin(task, options, {
      tenants: () => this.list(),
      admit: (tenantId) => this.#directory.findAnew(tenantId),
    });
  }

  async #served(): Promise<string[]> {
    const tenants = await this.list();
    if (!this.#suspensions.isOn) return tenants;
    const suspended = await this.#suspensions.list();
    return tenants.filter((tenantId) => !suspended.has(tenantId));
  }

  /** As `forEach`, as an Observable that begins when it is subscribed to and stops when it is unsubscribed from. */
  observe<T>(task: TenantTask<T>, options: ForEachOptions = {}): Observable<TenantResult<T>> {
    return observe((stop) => this.iterate(task, { ...options, signal: endedBy(stop, options.signal) }));
  }

  /** Calls `listener` when a tenant has been provisioned here, `isNew` when its database was not there before; gives the function that takes it back. */
  onProvisioned(listener: (event: { tenantId: string; db: string; isNew: boolean }) => unknown): () => void {
    return this.#pools.events.on('tenantProvisioned', keepContext(listener));
  }

  /** Calls `listener` when this process learns that a tenant is suspended; gives the function that takes it back. */
  onSuspended(listener: (event: { tenantId: string; db: string; reason?: string }) => unknown): () => void {
    this.#suspensions.look();
    return this.#pools.events.on('tenantSuspended', keepContext(listener));
  }

  /** Calls `listener` when this process learns that a tenant is suspended no more; gives the function that takes it back. */
  onResumed(listener: (event: { tenantId: string; db: string }) => unknown): () => void {
    this.#suspensions.look();
    return this.#pools.events.on('tenantResumed', keepContext(listener));
  }

  /** Calls `listener` when a tenant has been dropped here; gives the function that takes it back. */
  onDeprovisioned(listener: (event: { tenantId: string; db: string }) => unknown): () => void {
    return this.#pools.events.on('tenantDeprovisioned', keepContext(listener));
  }

  async #databaseNames(): Promise<string[]> {
    const database = this.#pools.database(this.#pools.options.defaultDB);
    const { databases } = await database.run(() => database.connection.db!.admin().listDatabases({ nameOnly: true }));
    return databases.map(({ name }) => name);
  }
}

/**
 * Waits as `await` does, but begins where it is called, as the tenant: a query only runs when somebody waits for it, and
 * `await` asks a thenable only later.
 */
function settle(given: unknown, scoped: <R>(fn: () => R) => R): unknown {
  const then = (given as { then?: unknown } | null | undefined)?.then;
  if (typeof then !== 'function') return given;
  return new Promise((...settlers) => void then.apply(given, settlers)).then((value) => carry(value, scoped));
}
