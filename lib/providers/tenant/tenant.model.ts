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

/** What looks like a method of the compiled model, or cannot be read there, and is another on each database. */
const LIVE = new Set<PropertyKey>(['db', 'collection', '$__collection', 'Query']);

/**
 * A model that is the current tenant's at each call: looked up then, never kept. What no model has (`then`, Nest's
 * lifecycle hooks) is undefined without asking for a tenant.
 * @param blueprint the compiled model, for what needs no tenant
 * @param current the current tenant's model. Throws when there is no tenant
 */
export function createTenantModel<M extends AnyModel>(blueprint: M, current: () => M): M {
  const target = function () {} as unknown as M;
  const shared = blueprint as unknown as Record<PropertyKey, unknown>;

  const readers = new Map<PropertyKey, () => unknown>();

  /** How a key is read, found out once. What no model has may come later, as a static does. */
  const readerOf = (key: PropertyKey): (() => unknown) => {
    if (SHARED.has(key)) return () => shared[key];
    if (key === Symbol.hasInstance) {
      const isInstance = (document: unknown) => document instanceof (current() as unknown as Callable);
      return () => isInstance;
    }
    if (key === 'watch$' || (!LIVE.has(key) && typeof shared[key] === 'function')) {
      const method: Callable = (...args) => (current() as unknown as Record<PropertyKey, Callable>)[key]!(...args);
      return () => method;
    }
    return () => (current() as unknown as Record<PropertyKey, unknown>)[key];
  };

  return new Proxy(target, {
    get(_, key) {
      const known = readers.get(key);
      if (known) return known();
      if (key === 'prototype') return Reflect.get(target, key) as unknown;
      if (!(key in blueprint) && key !== 'watch$' && key !== Symbol.hasInstance) return undefined;
      const reader = readerOf(key);
      readers.set(key, reader);
      return reader();
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
