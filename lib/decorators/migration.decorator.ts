import { checkOptions, checks, type Checks } from '../polymongo.checks.js';
import { migrationDecorator, type MigrationMetadata } from '../providers/migrations/migration.metadata.js';
import type { MigrationTraits } from '../providers/migrations/migration.types.js';

const MIGRATION_CHECKS: Checks<MigrationMetadata> = {
  name: checks.string,
  isTransactional: checks.boolean,
  checksum: checks.string,
};

/**
 * Makes a class a migration, with `up(context)` and perhaps `down(context)`. Name it in the `classes` of
 * `PolyMongoMigrationsModule.forRoot`; it may inject what the application provides.
 * @param name `NNNN-name`; the number is its place
 * @throws PolyMongoOptionsError; the name itself is looked at when the application starts
 */
export function Migration(name: string, traits: MigrationTraits = {}): ClassDecorator {
  checkOptions('@Migration.', { ...traits, name }, MIGRATION_CHECKS, ['name']);
  return migrationDecorator({ ...traits, name });
}
