import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import type { ModelRegistry } from './model.registry.js';
import { isInstanceOf } from './model.template.js';
import type { AnyModel, DatabaseModel, PolyModelOf } from './model.types.js';

type Callable = (...args: unknown[]) => unknown;

/** Where a wrapped model finds the model of a database, and the database of the current tenant. */
export interface PolyModelHost {
  readonly pools: PolyMongoPools;
  readonly registry: ModelRegistry;
  /** @throws TenantError when there is no current tenant */
  tenantDatabase(): string;
}

/**
 * Wraps a compiled model. The wrapper is the default database's model in everything but three things: `.db(name)`,
 * `.tenant()` and `instanceof`, which holds for documents of any database. Statics run on the inner model, so that what
 * mongoose reads there as `Model.db` is the connection; outside, `db` is that connection made callable.
 */
export function createPolyModel<M extends AnyModel>(blueprint: M, host: PolyModelHost): PolyModelOf<M> {
  const { pools, registry } = host;
  const inner = registry.modelOn(pools.database(pools.options.defaultDB), blueprint) as unknown as Record<
    PropertyKey,
    unknown
  > &
    Callable;
  const models = new Map<string, DatabaseModel<M>>();
  pools.events.on('released', ({ db }) => models.delete(db));

  const modelOf = (name: string): DatabaseModel<M> => {
    const known = models.get(name);
    if (known) return known;
    const model = registry.modelOn(pools.database(name), blueprint) as DatabaseModel<M>;
    models.set(name, model);
    return model;
  };
  const own: Record<PropertyKey, unknown> = {
    db: callableConnection(modelOf, inner.db as object),
    tenant: () => modelOf(host.tenantDatabase()),
    [Symbol.hasInstance]: (document: unknown) => isInstanceOf(blueprint, document),
  };

  const methods = new Map<Callable, Callable>();
  const replaced = new Set<PropertyKey>();
  return new Proxy(inner, {
    get(_, key) {
      const mine = own[key];
      if (mine !== undefined && Object.hasOwn(own, key)) return mine;
      const value = inner[key];
      if (typeof value !== 'function' || key === 'Query' || key === 'base' || replaced.has(key)) return value;
      let method = methods.get(value as Callable);
      if (!method) methods.set(value as Callable, (method = (value as Callable).bind(inner)));
      return method;
    },
    set(_, key, value) {
      replaced.add(key); // a spy is to be found again as it is
      return Reflect.set(inner, key, value);
    },
    construct: (_, args) => Reflect.construct(inner, args) as object,
  }) as unknown as PolyModelOf<M>;
}

/** mongoose reads `Model.db` as the connection, users call it with a name: one object that is both. */
function callableConnection(call: (name: string) => unknown, connection: object): object {
  const methods = new Map<Callable, Callable>();
  return new Proxy(call, {
    get(_, key) {
      const value = Reflect.get(connection, key) as unknown;
      if (typeof value !== 'function' || key === 'constructor') return value;
      let method = methods.get(value as Callable);
      if (!method) methods.set(value as Callable, (method = (value as Callable).bind(connection)));
      return method;
    },
    set: (_, key, value) => Reflect.set(connection, key, value),
    has: (_, key) => Reflect.has(connection, key),
    getPrototypeOf: () => Reflect.getPrototypeOf(connection),
  });
}
