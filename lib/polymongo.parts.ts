import { PolyMongoOptionsError } from './polymongo.errors.js';
import { getPartToken, POLYMONGO_OPTIONS, TENANT_ID } from './polymongo.tokens.js';
import { PolyMongoWrapper } from './polymongo.wrapper.js';
import { PolyMongoBulk } from './providers/bulk/polymongo-bulk.provider.js';
import { PolyMongoHealth } from './providers/health/polymongo-health.provider.js';
import { PolyMongoHooks } from './providers/hooks/polymongo-hooks.provider.js';
import { PolyMongoMigrations } from './providers/migrations/polymongo-migrations.provider.js';
import { PolyMongoPools } from './providers/pools/polymongo-pools.provider.js';
import { PolyMongoStats } from './providers/stats/polymongo-stats.provider.js';
import { PolyMongoTenants } from './providers/tenant/polymongo-tenants.provider.js';
import { TenantContext } from './providers/tenant/tenant.context.js';
import { TenantEntry } from './providers/tenant/tenant.entry.js';
import { TenantJobs } from './providers/tenant/tenant.jobs.js';
import { TenantMessages } from './providers/tenant/tenant.messages.js';
import { PolyMongoTransactions } from './providers/transaction/polymongo-transactions.provider.js';
import { PolyMongoWatch } from './providers/watch/polymongo-watch.provider.js';

/** What a root has one of: a class that can be injected. */
export type PolyMongoPart<T = unknown> = abstract new (...args: never[]) => T;

/** Their names, which tokens are made of; those of the classes may be mangled by a bundler. */
const NAMES: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [PolyMongoWrapper, 'PolyMongoWrapper'],
  [PolyMongoPools, 'PolyMongoPools'],
  [PolyMongoHooks, 'PolyMongoHooks'],
  [PolyMongoHealth, 'PolyMongoHealth'],
  [PolyMongoStats, 'PolyMongoStats'],
  [PolyMongoWatch, 'PolyMongoWatch'],
  [PolyMongoTransactions, 'PolyMongoTransactions'],
  [PolyMongoBulk, 'PolyMongoBulk'],
  [PolyMongoMigrations, 'PolyMongoMigrations'],
  [PolyMongoTenants, 'PolyMongoTenants'],
  [TenantContext, 'TenantContext'],
  [TenantJobs, 'TenantJobs'],
  [TenantMessages, 'TenantMessages'],
  [TenantEntry, 'TenantEntry'],
  [POLYMONGO_OPTIONS, 'POLYMONGO_OPTIONS'],
  [TENANT_ID, 'TENANT_ID'],
]);

/**
 * The token of what a root has one of, for `app.get()` and `overrideProvider()`: the class itself, or of a named root a symbol.
 * @param part a class such as PolyMongoTenants, or TENANT_ID or POLYMONGO_OPTIONS
 * @param root the root's name, where it has one
 * @throws PolyMongoOptionsError for any other class, and for what is no name of a root
 * @example app.get<PolyMongoTenants>(getPolyMongoToken(PolyMongoTenants, 'audit'))
 */
export function getPolyMongoToken<P extends PolyMongoPart | symbol>(part: P, root?: string): P | symbol {
  const name = NAMES.get(part);
  if (name === undefined) {
    throw new PolyMongoOptionsError(
      'part',
      `No root provides ${typeof part === 'function' ? part.name : String(part)}: name a class of nestjs-polymongo such as ` +
        'PolyMongoTenants, TENANT_ID or POLYMONGO_OPTIONS. Models have getPolyModelToken() and getTenantModelToken().',
    );
  }
  return root === undefined ? part : getPartToken(name, root);
}
