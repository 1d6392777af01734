import type { Observable } from 'rxjs';
import { checkOptions, checks, checkValue, type Checks } from '../../polymongo.checks.js';
import { MigrationsMissingError, TenantConfirmationError, TenantDatabaseTakenError } from './tenant.errors.js';
import type { IndexPlan, SyncIndexesOptions } from '../databases/database.indexes.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { carry } from './tenant.carrier.js';
import { keepContext } from '../sessions/subscriber.context.js';
import { keptProgress } from '../sessions/subscriber.listener.js';
import { databaseKey, type TenantDatabases } from './tenant.databases.js';
import type { TenantDirectory } from './tenant.directory.js';
import {
  checkForEachOptions,
  fanOut,
  observe,
  type ForEachOptions,
  type TenantResult,
  type TenantTask,
} from './tenant.fan-out.js';
import { inBackground } from '../pools/background.work.js';
import { TenantSeats } from './tenant.seats.js';
import type { MigrateOptions, TenantMigration, TenantMigrations } from './tenant.migrations.js';
import type { TenantRun } from './tenant.run.js';
import type { Ownership, TenantRecord, TenantRegistry } from './tenant.registry.js';

/** How long provisioning and deprovisioning wait. */
export interface ProvisionOptions {
  /** How long to wait for another process that works on the same tenant, in ms. Default 60000. */
  timeoutMS?: number;
}

const PROVISION_CHECKS: Checks<ProvisionOptions> = { timeoutMS: checks.durationMS };
const DEPROVISION_CHECKS: Checks<ProvisionOptions & { confirm?: string }> = {
  ...PROVISION_CHECKS,
  confirm: { allowed: "the tenant's id", accepts: (v) => typeof v === 'string' },
};

/** What `provision` has made, or found. */
export interface ProvisionedTenant {
  /** The tenant's id. */
  tenantId: string;
  /** The name of its database. */
  database: string;
  /** It was not there before; it has been seeded. */
  isNew: boolean;
}

/** Resolves when a tenant is known, and where it is. */
type Admission = (tenantId: string) => Promise<void>;

/** The tenants: making and dropping them, and running code as one or as each of them. */
export class PolyMongoTenants {
  readonly #pools: PolyMongoPools;
  readonly #databases: TenantDatabases;
  readonly #directory: TenantDirectory;
  readonly #registry: TenantRegistry;
  #migrations: TenantMigrations | undefined;

  /** @internal Made by `PolyMongoWrapper`. */
  constructor(pools: PolyMongoPools, databases: TenantDatabases, directory: TenantDirectory, registry: TenantRegistry) {
    this.#pools = pools;
    this.#databases = databases;
    this.#directory = directory;
    this.#registry = registry;
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

  /**
   * Makes a tenant's database: the migrations of a new one, the collections and indexes of every registered model, then the `seed`
   * option's documents, once. Doing it again makes what is missing; two processes at the same time take turns.
   * @throws InvalidTenantIdError, TenantBusyError, TenantTakenOverError; TenantDatabaseTakenError when the id of another tenant
   *   maps to the same database; TenantRemovalError while it is being removed; what the
   *   seed throws (the tenant is then not ready, and the next `provision` seeds again)
   */
  async provision(tenantId: string, options: ProvisionOptions = {}): Promise<ProvisionedTenant> {
    checkOptions('provision.', options, PROVISION_CHECKS);
    const { timeoutMS = 60_000 } = options;
    const database = this.#databases.of(tenantId);
    const isNew = await this.#whileOwning({ tenantId, database, purpose: 'provision', timeoutMS }, (record) =>
      this.#directory.manage(tenantId, async () => {
        if (record.state !== 'ready') await this.#migrations?.begin(tenantId);
        await this.#pools.ensureIndexes(database);
        if (record.state === 'ready') return false;
        await this.#databases.options.seed?.(tenantId, this.#pools.connectionOf(database));
        await this.#registry.mark(record, 'ready');
        return true;
      }),
    );
    this.#pools.events.emit('tenantProvisioned', { tenantId, db: database, isNew });
    return { tenantId, database, isNew };
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
    const db = this.#databases.of(tenantId);
    checkOptions('deprovision.', options, DEPROVISION_CHECKS);
    const { confirm, timeoutMS = 60_000 } = options;
    if (confirm !== tenantId) throw new TenantConfirmationError(tenantId);
    await this.#whileOwning({ tenantId, database: db, purpose: 'remove', timeoutMS }, async (record) => {
      await this.#registry.mark(record, 'removing');
      await this.#directory.remove(tenantId, timeoutMS, async () => {
        await this.#pools.disconnect(db, 'deprovisioned');
        const database = this.#pools.database(db);
        await database.run(() => database.connection.db!.dropDatabase());
        await this.#pools.disconnect(db, 'deprovisioned');
        await this.#pools.release(db, 'deprovisioned');
      });
      await this.#registry.remove(record);
    });
    this.#pools.events.emit('tenantDeprovisioned', { tenantId, db });
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

  /** Does something as each tenant, some at a time; resolves with all results when all are done. @throws TenantTaskError */
  async forEach<T>(task: TenantTask<T>, options: ForEachOptions = {}): Promise<TenantResult<T>[]> {
    const results: TenantResult<T>[] = [];
    for await (const result of this.iterate(task, options)) results.push(result);
    return results;
  }

  /** As `forEach`, giving each result when it is there. Leaving the loop stops the work. @throws PolyMongoOptionsError at once */
  iterate<T>(task: TenantTask<T>, options: ForEachOptions = {}): AsyncGenerator<TenantResult<T>, void, undefined> {
    checkValue('task', task, checks.function);
    return this.#begin(
      (tenantId, context) => this.run(tenantId, () => task(tenantId, context)),
      options,
      (tenantId) => this.#directory.admitAnew(tenantId),
    );
  }

  /** @internal As {@link iterate}, for what makes tenants ready to be served: none has to be, and `task` runs as nobody. */
  maintain<T>(task: TenantTask<T>, options: ForEachOptions): AsyncGenerator<TenantResult<T>, void, undefined> {
    return this.#begin(task, options, (tenantId) => this.#directory.findAnew(tenantId));
  }

  #begin<T>(task: TenantTask<T>, options: ForEachOptions, admit: Admission) {
    checkForEachOptions(options);
    const { onProgress } = options;
    const { events, options: root } = this.#pools;
    const kept = { ...options, ...(onProgress && { onProgress: keptProgress(events, root.defaultDB, onProgress) }) };
    return this.#iterate(task, kept, admit);
  }

  /** As `forEach`, as an Observable that begins when it is subscribed to and stops when it is unsubscribed from. */
  observe<T>(task: TenantTask<T>, options: ForEachOptions = {}): Observable<TenantResult<T>> {
    return observe((stop) => {
      const signal = options.signal ? AbortSignal.any([options.signal, stop]) : stop;
      return this.iterate(task, { ...options, signal });
    });
  }

  /** Calls `listener` when a tenant has been provisioned here, `isNew` when its database was not there before; gives the function that takes it back. */
  onProvisioned(listener: (event: { tenantId: string; db: string; isNew: boolean }) => unknown): () => void {
    return this.#pools.events.on('tenantProvisioned', keepContext(listener));
  }

  /** Calls `listener` when a tenant has been dropped here; gives the function that takes it back. */
  onDeprovisioned(listener: (event: { tenantId: string; db: string }) => unknown): () => void {
    return this.#pools.events.on('tenantDeprovisioned', keepContext(listener));
  }

  async *#iterate<T>(
    task: TenantTask<T>,
    options: ForEachOptions,
    admit: Admission,
  ): AsyncGenerator<TenantResult<T>, void, undefined> {
    options.signal?.throwIfAborted();
    const tenants = [...new Set(options.tenants ?? (await this.list()))];
    const { budget, primary } = this.#pools;
    const seats = new TenantSeats(budget.max - primary.config.maxConnections);
    const visit: TenantTask<T> = async (tenantId, context) => {
      await admit(tenantId); // its pool is known then
      const size = this.#ownSocketsOf(tenantId);
      await seats.take(size);
      try {
        context.signal.throwIfAborted();
        return await inBackground(() => task(tenantId, context));
      } finally {
        seats.give(size);
      }
    };
    yield* fanOut(tenants, visit, options);
  }

  /** The sockets of a tenant's own pool; none when it is on the primary one. */
  #ownSocketsOf(tenantId: string): number {
    const pool = this.#pools.poolOf(this.#databases.of(tenantId));
    return pool === this.#pools.primary ? 0 : pool.config.maxConnections;
  }

  async #whileOwning<T>(ownership: Ownership, work: (record: TenantRecord) => Promise<T>): Promise<T> {
    try {
      return await this.#registry.whileOwning(ownership, work);
    } catch (error) {
      if (error instanceof TenantDatabaseTakenError) this.#databases.release(ownership.tenantId);
      throw error;
    }
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
