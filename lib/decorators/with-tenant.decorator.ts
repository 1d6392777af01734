import { Inject } from '@nestjs/common';
import { PolyMongoTenants } from '../providers/tenant/polymongo-tenants.provider.js';

const TENANTS = Symbol('polymongo.tenants');

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments are those of the decorated method
type Method = (...args: any[]) => unknown;

/**
 * Runs a provider's method as a tenant: a job, a scheduled task, a message handler. The method gives a promise.
 * @param tenant the tenant's id, or a function that finds it in the method's arguments
 * @example
 * @WithTenant((job: Job<{ tenantId: string }>) => job.data.tenantId)
 * process(job: Job) { … }
 */
export function WithTenant<A extends unknown[]>(
  tenant: string | ((...args: A) => string),
): <T extends (...args: A) => unknown>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void {
  return (target, _key, descriptor) => {
    Inject(PolyMongoTenants)(target, TENANTS);
    const native = descriptor.value as unknown as Method;
    const method = async function (this: Record<symbol, PolyMongoTenants>, ...args: A): Promise<unknown> {
      const tenantId = typeof tenant === 'function' ? tenant(...args) : tenant;
      return this[TENANTS]!.run(tenantId, () => native.apply(this, args));
    };
    for (const key of Reflect.getMetadataKeys(native)) {
      Reflect.defineMetadata(key, Reflect.getMetadata(key, native), method);
    }
    Object.defineProperty(method, 'name', { value: native.name });
    descriptor.value = method as never;
  };
}
