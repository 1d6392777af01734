import type { ForEachOptions } from './tenant.fan-out.js';
import type { TenantRun } from './tenant.run.js';

/** Which migrations are to run, and for which tenants. */
export interface MigrateOptions extends ForEachOptions {
  /** The last one that is to run, by name or number. Default: all. */
  to?: string;
  /** Only these, whatever ran before or after them. */
  only?: readonly string[];
  /** Migrations that changed after they ran, and whose change is of no matter: it is taken as it is from now on. */
  accept?: readonly string[];
  /** Say what would run, and change nothing. Default false. */
  dryRun?: boolean;
}

/** What was done with one migration, or with `dryRun` is to be done. */
export interface MigratedStep {
  /** The migration's name, `NNNN-name`. */
  readonly migration: string;
  /**
   * It ran (`up`) or was taken back (`down`), or only the record was made (`stamp`: as done), removed (`forget`) or
   * renewed (`accept`: its change counts from now on).
   */
  readonly kind: 'up' | 'down' | 'stamp' | 'forget' | 'accept';
  /** In ms; none with `dryRun`. */
  readonly durationMS?: number;
}

/** What a run did for a tenant. */
export interface TenantMigration {
  /** The last migration that is done; none where nothing is. */
  readonly version: string | undefined;
  /** In the order in which they were done; none where there was nothing to do. */
  readonly steps: readonly MigratedStep[];
}

/** What `PolyMongoTenants` has of the migrations, which come after it. */
export interface TenantMigrations {
  up(options: MigrateOptions): TenantRun<TenantMigration>;
  /** Brings a new tenant's database to where the code is, before anything else is made in it. */
  begin(tenantId: string): Promise<void>;
  /** The tenant's last migration that is done. */
  versionOf(tenantId: string): Promise<string | undefined>;
}
