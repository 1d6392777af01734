import { migrationDecorator } from '../providers/migrations/migration.metadata.js';
import type { MigrationTraits } from '../providers/migrations/migration.types.js';

/**
 * Makes a class a migration, with `up(context)` and perhaps `down(context)`. Name it in the `classes` of
 * `PolyMongoMigrationsModule.forRoot`; it may inject what the application provides.
 * @param name `NNNN-name`; the number is its place
 */
export const Migration = (name: string, traits: MigrationTraits = {}): ClassDecorator =>
  migrationDecorator({ ...traits, name });
