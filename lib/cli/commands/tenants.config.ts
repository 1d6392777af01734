import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PolyMongoOptions } from '../../polymongo.options.js';
import type { MigrationsOptions } from '../../providers/migrations/migration.options.js';
import { UsageError } from '../cli.io.js';

/** What a config module exports as its default. */
export type TenantsConfig = Partial<PolyMongoOptions> & { migrations?: MigrationsOptions };

/** @throws UsageError */
export async function readConfig(file: string | undefined): Promise<TenantsConfig> {
  if (file === undefined) return {};
  let found: { default?: unknown };
  try {
    found = (await import(pathToFileURL(resolve(file)).href)) as { default?: unknown };
  } catch (error) {
    throw new UsageError(`--config ${file} cannot be loaded: ${(error as Error).message}`);
  }
  const config = found.default;
  if (typeof config !== 'object' || config === null)
    throw new UsageError(`--config ${file} has no object as its default export.`);
  return config as TenantsConfig;
}
