import type { INestApplicationContext } from '@nestjs/common';
import { getPolyMongoToken } from '../polymongo.parts.js';
import { PolyMongoWrapper } from '../polymongo.wrapper.js';

/** The wrapper of a root of an application. */
export const wrapperOf = (app: Pick<INestApplicationContext, 'get'>, root?: string): PolyMongoWrapper =>
  app.get<PolyMongoWrapper>(getPolyMongoToken(PolyMongoWrapper, root), { strict: false });

/**
 * Runs `fn` as a tenant, which need not exist, and gives back what that gives.
 * @param root the name of the root whose tenant it is, where that has one
 * @throws InvalidTenantIdError
 * @example const found = await runAsTenant(app, 'acme', () => orders.list());
 */
export const runAsTenant = <T>(
  app: Pick<INestApplicationContext, 'get'>,
  tenantId: string,
  fn: () => T,
  root?: string,
): T => wrapperOf(app, root).tenantContext.run(tenantId, fn);

/**
 * From now on every request and message that is asked about is that tenant's, whatever the resolvers would find. Gives the function
 * that ends it.
 * @param root the name of the root whose tenant it is, where that has one
 * @throws InvalidTenantIdError
 */
export function overrideTenant(app: Pick<INestApplicationContext, 'get'>, tenantId: string, root?: string): () => void {
  const { tenantContext, tenantEntry } = wrapperOf(app, root);
  return tenantEntry.resolution.override(tenantContext.check(tenantId));
}
