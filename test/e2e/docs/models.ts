import type { Schema } from 'mongoose';
import { PolyMongoWrapper, type PolyMongoPools, type PolyMongoTenants } from 'nestjs-polymongo';

export function withPlugins(mongoURI: string, stamp: (schema: Schema, options?: { by: string }) => void) {
  // #region plugins
  const polymongo = new PolyMongoWrapper({ mongoURI, plugins: [[stamp, { by: 'import' }]] }); // or forRoot({ … })
  // #endregion
  return polymongo;
}

export async function ensured(pools: PolyMongoPools) {
  // #region indexes
  await pools.ensureIndexes('acme'); // collections and indexes of every registered model; drops nothing
  const plans = await pools.syncIndexes('acme', { dryRun: true }); // what differs, by collection
  await pools.syncIndexes('acme'); // drops what no schema declares, makes what is missing
  // #endregion
  return plans;
}

export async function ofAllTenants(tenants: PolyMongoTenants) {
  // #region index-repair
  const plans = await tenants.syncIndexes({ dryRun: true });
  for (const result of plans) if (result.ok) console.log(result.tenantId, result.value);
  await tenants.syncIndexes({ concurrency: 2 });
  // #endregion
  return plans;
}
