import { checks, checkValue, type Check } from '../polymongo.checks.js';
import { PolyMongoTenants } from '../providers/tenant/polymongo-tenants.provider.js';
import { injectedMethod } from './injected.method.js';

const TENANT_CHECK: Check = {
  allowed: "a tenant's id, or a function of the method's arguments that gives it",
  accepts: (v) => checks.function.accepts(v) || checks.string.accepts(v),
};

/**
 * Runs a provider's method as a tenant: a scheduled task, a message handler. The method gives a promise. For jobs of BullMQ
 * there is `@WithJobTenant`.
 * @param tenant the tenant's id, or a function that finds it in the method's arguments
 * @param root the name of the root whose tenant it is, where that has one
 * @throws PolyMongoOptionsError; the method as `tenants.run` does
 * @example
 * @WithTenant((event: OrderMade) => event.tenantId)
 * handle(event: OrderMade) { … }
 */
export function WithTenant<A extends unknown[]>(
  tenant: string | ((...args: A) => string),
  root?: string,
): <T extends (...args: A) => unknown>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void {
  checkValue('tenant of @WithTenant', tenant, TENANT_CHECK);
  return injectedMethod('WithTenant', PolyMongoTenants, root, (tenants, args: A, proceed) =>
    tenants.run(typeof tenant === 'function' ? tenant(...args) : tenant, proceed),
  );
}
