import { inspect } from 'node:util';
import type { AnyModel } from '../models/model.types.js';

type Callable = (...args: unknown[]) => unknown;

/** What belongs to the schema and not to a database; readable without a tenant. */
const SHARED = new Set<PropertyKey>([
  'schema',
  'modelName',
  'name',
  'length',
  'base',
  'baseModelName',
  'hooks',
  'events',
  'toString',
  'toJSON',
  'inspect',
  inspect.custom,
  Symbol.toPrimitive,
  Symbol.toStringTag,
]);

/** What looks like a method of the compiled model, or cannot be read there, and is another on each database. */
const LIVE = new Set<PropertyKey>(['collection', '$__collection', 'Query']);

/** Where a tenant's model finds what is the current tenant's; both throw when there is none. */
export interface CurrentTenant<M> {
  model(): M;
  /** Apart from the model: reading it there costs V8 a look-up among the shapes of every model of every tenant. */
  connection(): object;
}

/**
 * A model that is the current tenant's at each call: looked up then, never kept. What no model has (`then`, Nest's
 * lifecycle hooks) is undefined without asking for a tenant.
 *
 * It is a function that learns its members: a key asked for the first time comes to the Proxy behind it, which gives the
 * function an accessor for it. An accessor costs half of a Proxy's trap.
 * @param blueprint the compiled model, for what needs no tenant
 * @param prototype what the documents of all tenants inherit: who puts a spy there means them
 */
export function createTenantModel<M extends AnyModel>(blueprint: M, prototype: object, tenant: CurrentTenant<M>): M {
  const shared = blueprint as unknown as Record<PropertyKey, unknown>;
  const current = () => tenant.model() as unknown as Record<PropertyKey, unknown>;

  const readerOf = (key: PropertyKey): (() => unknown) => {
    if (SHARED.has(key)) return () => shared[key];
    if (key === 'db') return () => tenant.connection();
    if (key === Symbol.hasInstance) {
      const isInstance = (document: unknown) => document instanceof (tenant.model() as unknown as Callable);
      return () => isInstance;
    }
    if (key === 'watch$' || (!LIVE.has(key) && typeof shared[key] === 'function')) {
      const method: Callable = (...args) => (current() as Record<PropertyKey, Callable>)[key]!(...args);
      return () => method;
    }
    return () => current()[key];
  };

  const model = function (...args: unknown[]) {
    return Reflect.construct(tenant.model() as unknown as Callable, args) as object;
  };
  const write = (key: PropertyKey, value: unknown) => Reflect.set(tenant.model(), key, value);
  const unlearned = new Proxy(Object.create(null) as object, {
    get(_, key) {
      // What no model has may come later, as a static does.
      if (!(key in blueprint) && key !== 'watch$' && key !== Symbol.hasInstance) return undefined;
      const get = readerOf(key);
      Object.defineProperty(model, key, { get, set: (value) => write(key, value), configurable: true });
      return get();
    },
    set: (_, key, value) => write(key, value),
    has: (_, key) => key in blueprint,
    getPrototypeOf: () => Reflect.getPrototypeOf(blueprint),
  });
  Object.setPrototypeOf(model, unlearned);
  model.prototype = prototype;
  for (const key of ['name', 'length'] as const) Reflect.deleteProperty(model, key);
  return model as unknown as M;
}
