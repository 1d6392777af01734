import { check, checks, type Checks } from '../../polymongo.checks.js';
import type { PolyMongoTenants } from '../tenant/polymongo-tenants.provider.js';
import { checkForEachOptions, endedBy, type ForEachOptions, type TenantTask } from '../tenant/tenant.fan-out.js';
import type { MigrateOptions, TenantMigration } from '../tenant/tenant.migrations.js';
import { TenantRun } from '../tenant/tenant.run.js';
import type { MigrationCatalogue } from './migration.catalogue.js';
import type { ResolvedMigrationsOptions } from './migration.options.js';
import { aheadOf, pendingOf, versionOf, type MigrationRequest } from './migration.plan.js';
import type { MigrationRecords } from './migration.types.js';
import { cutOff, TenantMigrator, type MigratorHost } from './tenant.migrator.js';

/** Where migrations are taken back to. */
export interface MigrateDownOptions extends ForEachOptions {
  /** The last one that stays, by name or number; `'0'` takes back all. Default: the one before the last. */
  to?: string;
  /** Say what would run, and change nothing. Default false. */
  dryRun?: boolean;
}

/** Which migrations a tenant has. */
export interface TenantMigrationStatus {
  /** The last migration that is done; none where nothing is. */
  readonly version: string | undefined;
  /** Those of the code that it is without. */
  readonly pending: readonly string[];
  /** What later code has done. */
  readonly ahead: readonly string[];
  /** A process is migrating it. */
  readonly isRunning: boolean;
  /** What its database says of each migration, by name. */
  readonly records: MigrationRecords;
}

const names = {
  allowed: 'an array of names or numbers, as strings',
  accepts: (v: unknown) => Array.isArray(v) && v.every((each) => typeof each === 'string'),
};
const DOWN_CHECKS: Checks<Omit<MigrateDownOptions, keyof ForEachOptions>> = {
  to: checks.string,
  dryRun: checks.boolean,
};
const UP_CHECKS: Checks<Omit<MigrateOptions, keyof ForEachOptions>> = { ...DOWN_CHECKS, only: names, accept: names };

/** The migrations of the code, and each tenant's in its own database. */
export class PolyMongoMigrations {
  readonly #tenants: PolyMongoTenants;
  readonly #migrator: TenantMigrator;
  readonly #stopped = new AbortController();

  /** @internal Made by `PolyMongoWrapper.useMigrations`. */
  constructor(
    tenants: PolyMongoTenants,
    host: MigratorHost,
    /** @internal */ readonly catalogue: MigrationCatalogue,
    /** @internal */ readonly options: ResolvedMigrationsOptions,
  ) {
    this.#tenants = tenants;
    this.#migrator = new TenantMigrator(host, catalogue, options);
  }

  /** The names of the code's migrations, in their order. */
  get names(): readonly string[] {
    return this.catalogue.names;
  }

  /**
   * Runs what has not run: see `tenants.migrate`.
   * @throws PolyMongoOptionsError at once
   */
  up({ to, only, accept, dryRun, ...options }: MigrateOptions = {}): TenantRun<TenantMigration> {
    check('migrate.', { to, only, accept, dryRun }, UP_CHECKS);
    for (const name of [to ?? [], only ?? [], accept ?? []].flat()) this.catalogue.get(name);
    return this.#run({ kind: 'up', to, only, accept }, options, dryRun);
  }

  /**
   * Takes migrations back, the last first. Nothing is where one of them has no `down`.
   * @throws PolyMongoOptionsError at once; MigrationIrreversibleError
   */
  down({ to, dryRun, ...options }: MigrateDownOptions = {}): TenantRun<TenantMigration> {
    check('down.', { to, dryRun }, DOWN_CHECKS);
    if (to !== undefined && Number(to) !== 0) this.catalogue.get(to);
    return this.#run({ kind: 'down', to }, options, dryRun);
  }

  /** Runs one again: down and up where it is done; only what was not finished where it is half-done. */
  redo(name: string, options: ForEachOptions = {}): TenantRun<TenantMigration> {
    return this.#run({ kind: 'redo', name: this.catalogue.get(name).name }, options);
  }

  /** Has one count as done, or as never run, without running it: after it was finished, or taken back, by hand. */
  mark(name: string, as: 'done' | 'undone', options: ForEachOptions = {}): TenantRun<TenantMigration> {
    return this.#run({ kind: 'mark', name: this.catalogue.get(name).name, as }, options);
  }

  /** Which migrations tenants have. Writes nothing. */
  status(options: ForEachOptions = {}): TenantRun<TenantMigrationStatus> {
    return this.#each((tenantId) => this.statusOf(tenantId), options);
  }

  /** Which migrations one tenant has. Writes nothing. */
  async statusOf(tenantId: string): Promise<TenantMigrationStatus> {
    const state = await this.#migrator.read(tenantId);
    const isRunning = state !== undefined && state.isOwned && (await this.#migrator.isAlive(tenantId, state.epoch));
    const records = isRunning ? state.records : cutOff(state?.records ?? {});
    return {
      version: versionOf(records),
      pending: pendingOf(this.catalogue, records).map(({ name }) => name),
      ahead: aheadOf(this.catalogue, records),
      isRunning,
      records,
    };
  }

  /** @internal */
  async versionOf(tenantId: string): Promise<string | undefined> {
    return versionOf((await this.#migrator.read(tenantId))?.records ?? {});
  }

  /** @internal of a tenant that is being provisioned */
  async begin(tenantId: string): Promise<void> {
    await this.#runNow(tenantId, this.options.baseline === 'stamp' ? 'stamp' : 'up');
  }

  /** @internal with its first use @throws MigrationError */
  async bring(tenantId: string): Promise<void> {
    await this.#runNow(tenantId, 'up');
  }

  /** Ends all runs: what is running is told by its signal, and nothing further begins. Final. */
  stop(): void {
    this.#stopped.abort(new Error('The application is shutting down.'));
  }

  #runNow(tenantId: string, kind: 'up' | 'stamp'): Promise<unknown> {
    return this.#migrator.run(tenantId, { kind }, { signal: this.#stopped.signal, isDryRun: false });
  }

  #run(request: MigrationRequest, options: ForEachOptions, isDryRun = false): TenantRun<TenantMigration> {
    return this.#each((tenantId, signal) => this.#migrator.run(tenantId, request, { signal, isDryRun }), options);
  }

  #each<T>(task: (tenantId: string, signal: AbortSignal) => Promise<T>, options: ForEachOptions): TenantRun<T> {
    checkForEachOptions(options);
    const visit: TenantTask<T> = (tenantId, context) => task(tenantId, context.signal);
    const ended = endedBy(this.#stopped.signal, options.signal);
    return new TenantRun((signal) => this.#tenants.maintain(visit, { ...options, signal }), ended);
  }
}
