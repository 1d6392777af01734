import type { AnyModel } from '../models/model.types.js';

type Callable = (...args: unknown[]) => unknown;

/** What belongs to the schema and not to a database; readable without a tenant. */
const SHARED = new Set<PropertyKey>([
  'schema',
  'modelName',
  'name',
  'length',
  'prototype',
  'base',
  'baseModelName',
  'hooks',
  'events',
]);

/**
 * A model that is the current tenant's at each call: looked up then, never kept. What no model has (`then`, Nest's
 * lifecycle hooks) is undefined without asking for a tenant.
 * @param blueprint the compiled model, for what needs no tenant
 * @param current the current tenant's model. Throws when there is no tenant
 */
export function createTenantModel<M extends AnyModel>(blueprint: M, current: () => M): M {
  const target = function () {} as unknown as M;
  const methods = new Map<PropertyKey, Callable>();
  const shared = blueprint as unknown as Record<PropertyKey, unknown>;

  const methodOf = (key: PropertyKey): Callable => {
    let method = methods.get(key);
    if (!method) {
      method = (...args) => {
        const model = current() as unknown as Record<PropertyKey, Callable>;
        return model[key]!(...args);
      };
      methods.set(key, method);
    }
    return method;
  };

  return new Proxy(target, {
    get(_, key) {
      if (key === 'prototype') return Reflect.get(target, key) as unknown;
      if (key === Symbol.hasInstance)
        return (document: unknown) => document instanceof (current() as unknown as Callable);
      if (SHARED.has(key)) return shared[key];
      if (key in blueprint) {
        const value = key === 'db' || key === 'collection' || key === '$__collection' ? undefined : shared[key];
        if (typeof value === 'function' && key !== 'Query') return methodOf(key);
      } else if (key !== 'watch$') {
        return undefined;
      }
      if (key === 'watch$') return methodOf(key);
      return (current() as unknown as Record<PropertyKey, unknown>)[key];
    },
    set(_, key, value) {
      return Reflect.set(current(), key, value);
    },
    has: (_, key) => key in blueprint,
    construct: (_, args) => Reflect.construct(current() as unknown as new () => object, args) as object,
    apply: (_, _this, args: unknown[]) => Reflect.construct(current() as unknown as new () => object, args) as object,
    getPrototypeOf: () => Reflect.getPrototypeOf(blueprint),
  });
}
