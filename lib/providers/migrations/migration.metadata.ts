import { SetMetadata } from '@nestjs/common';
import type { MigrationTraits } from './migration.types.js';

/** What `@Migration` says of a class. */
export interface MigrationMetadata extends MigrationTraits {
  name: string;
}

const MIGRATION_METADATA = 'polymongo:migration';

export const migrationDecorator = (metadata: MigrationMetadata): ClassDecorator =>
  SetMetadata(MIGRATION_METADATA, metadata);

/** What a class says of itself; undefined for one that is no migration. */
export const migrationMetadata = (type: object): MigrationMetadata | undefined =>
  Reflect.getMetadata(MIGRATION_METADATA, type) as MigrationMetadata | undefined;
