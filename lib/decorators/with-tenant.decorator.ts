import { PolyMongoTenants } from '../providers/tenant/polymongo-tenants.provider.js';
import { injectedMethod } from './injected.method.js';

/**
 * Runs a provider's method as a tenant: a scheduled task, a message handler. The method gives a promise. For jobs of BullMQ
 * there is `@WithJobTenant`.
 * @param tenant the tenant's id, or a function that finds it in the method's arguments
 * @example
 * @WithTenant((event: OrderMade) => event.tenantId)
 * handle(event: OrderMade) { … }
 */
export function WithTenant<A extends unknown[]>(
  tenant: string | ((...args: A) => string),
): <T extends (...args: A) => unknown>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void {
  return injectedMethod(PolyMongoTenants, (tenants, args: A, proceed) =>
    tenants.run(typeof tenant === 'function' ? tenant(...args) : tenant, proceed),
  );
}
