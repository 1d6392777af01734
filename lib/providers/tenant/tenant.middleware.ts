import type { TenantRequest } from '../../polymongo.tenant-options.js';
import type { TenantContext } from './tenant.context.js';
import type { TenantDatabases } from './tenant.databases.js';

type Next = (error?: unknown) => void;

/** Runs each HTTP request in the context of its tenant; a request that names none runs in none. */
export function createTenantMiddleware(databases: TenantDatabases, context: TenantContext) {
  const { resolve } = databases.options;
  return async (request: TenantRequest, _response: unknown, next: Next): Promise<void> => {
    let tenantId: string | undefined;
    try {
      for (const find of resolve) {
        tenantId = await find(request);
        if (tenantId !== undefined) break;
      }
      if (tenantId !== undefined) databases.of(tenantId);
    } catch (error) {
      return next(error);
    }
    if (tenantId === undefined) next();
    else context.run(tenantId, () => next());
  };
}
