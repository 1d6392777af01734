import type { Type } from '@nestjs/common';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import type { PolyMongoTenants } from '../tenant/polymongo-tenants.provider.js';
import type { TenantDirectory } from '../tenant/tenant.directory.js';
import { checks, checkValue } from '../../polymongo.checks.js';
import { MigrationCatalogue } from './migration.catalogue.js';
import { resolveMigrationsOptions, type MigrationsOptions } from './migration.options.js';
import { MigrationReadiness } from './migration.readiness.js';
import { migrationOf, migrationsOf } from './migration.sources.js';
import type { MigrationInstance } from './migration.types.js';
import { PolyMongoMigrations } from './polymongo-migrations.provider.js';
import type { MigratorHost } from './tenant.migrator.js';

/** Makes the instance of a class that is a migration. */
export type MigrationFactory = (type: Type<MigrationInstance>) => MigrationInstance | Promise<MigrationInstance>;

/** What hears of them. */
export interface MigratedParts {
  readonly tenants: PolyMongoTenants;
  readonly tenantDirectory: TenantDirectory;
  readonly pools: PolyMongoPools;
}

/** Reads the migrations of the folder and the classes, and puts them to use. @throws PolyMongoOptionsError, MigrationDefinitionError */
export async function assembleMigrations(
  { tenants, tenantDirectory, pools }: MigratedParts,
  host: MigratorHost,
  options: MigrationsOptions,
  make: MigrationFactory,
): Promise<PolyMongoMigrations> {
  checkValue('make', make, checks.function);
  const resolved = resolveMigrationsOptions(options);
  const ofFolder = resolved.directory === undefined ? [] : await migrationsOf(resolved.directory);
  const ofClasses = await Promise.all(resolved.classes.map(async (type) => migrationOf(type, await make(type))));
  const migrations = new PolyMongoMigrations(
    tenants,
    host,
    new MigrationCatalogue([...ofFolder, ...ofClasses]),
    resolved,
  );
  tenants.onMigrations(migrations);
  if (MigrationReadiness.isNeeded(resolved)) {
    tenantDirectory.require(new MigrationReadiness(migrations, pools.events));
  }
  return migrations;
}
