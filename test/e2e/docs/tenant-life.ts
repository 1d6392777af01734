import { fromHeader, PolyMongoModule, type PolyMongoTenants } from 'nestjs-polymongo';

export const rootOf = (mongoURI: string) =>
  // #region suspension
  PolyMongoModule.forRoot({ mongoURI, tenant: { resolve: fromHeader('x-tenant-id'), suspension: {} } });
// #endregion

export async function suspending(
  tenants: PolyMongoTenants,
  gateway: { disconnect(tenantId: string, reason?: string): void },
) {
  // #region suspend
  tenants.onSuspended(({ tenantId, reason }) => gateway.disconnect(tenantId, reason));
  tenants.onResumed(({ tenantId }) => console.log(tenantId));

  await tenants.suspend('acme', { reason: 'unpaid' }); // 503 with Retry-After, in every process
  await tenants.resume('acme');
  // #endregion
}

export async function looking(tenants: PolyMongoTenants) {
  // #region look
  const idle = await tenants.find({ state: 'ready', unusedSince: new Date(Date.now() - 90 * 86_400_000) });
  for await (const result of tenants.stats({ concurrency: 8, onError: 'collect' })) {
    if (result.ok && result.value.sizeMb > 1024) console.log(result.tenantId, result.value.cluster);
  }
  // #endregion
  return idle;
}

export async function moving(tenants: PolyMongoTenants) {
  // #region move
  await tenants.move('acme', { to: 'eu-2', online: false });
  await tenants.confirm('acme'); // or tenants.rollback('acme')
  // #endregion
}

export async function backingUp(tenants: PolyMongoTenants, folder: string) {
  // #region backup
  for await (const { tenantId, ok } of tenants.backup({ to: folder, onError: 'collect' })) console.log(tenantId, ok);
  await tenants.verify({ from: folder, tenants: ['acme'] });
  await tenants.restore('acme', { from: folder, as: 'acme-then' }); // beside it
  await tenants.restore('acme', { from: folder, drop: true }); // in its place
  await tenants.clone('acme', 'acme-test');
  // #endregion
}
