import type { Connection } from 'mongoose';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { EMITTER_METHODS, WRAPPER } from './model.binding.js';
import { ModelExtensionError } from './model.errors.js';
import type { ModelRegistry } from './model.registry.js';
import type { AnyModel, DatabaseModel, PolyModelOf } from './model.types.js';

/** Where a wrapped model finds the model of a database, and the database of the current tenant. */
export interface PolyModelHost {
  readonly pools: PolyMongoPools;
  readonly registry: ModelRegistry;
  /** @throws TenantError when there is no current tenant */
  tenantDatabase(): string;
}

/**
 * Wraps a compiled model: a child of the default database's model with two members of its own, `.db(name)` and
 * `.tenant()`. Its documents are that model's documents; `instanceof` holds for documents of any database, because the
 * wrapper is bound to none. It keeps no models: those of a database are in its connection's `models`, and nowhere else.
 */
export function createPolyModel<M extends AnyModel>(blueprint: M, host: PolyModelHost): PolyModelOf<M> {
  const { pools, registry } = host;
  const database = pools.database(pools.options.defaultDB);
  const inner = registry.modelOn(database, blueprint);
  const modelOf = (name: string) => registry.modelOn(pools.database(name), blueprint) as DatabaseModel<M>;
  /** `.db(name)` and `.tenant()` lead to models that know nothing of a class. @throws ModelExtensionError */
  const asItself = <A extends unknown[]>(name: string, find: (...args: A) => DatabaseModel<M>) =>
    function (this: unknown, ...args: A): DatabaseModel<M> {
      if (this !== wrapped && Object.prototype.isPrototypeOf.call(wrapped, this as object))
        throw new ModelExtensionError(blueprint.modelName, name);
      return find(...args);
    };

  const wrapped = function (...args: unknown[]) {
    const isExtended = new.target !== undefined && new.target !== (wrapped as unknown);
    return Reflect.construct(inner, args, isExtended ? new.target : inner) as unknown;
  };
  Object.setPrototypeOf(wrapped, inner);
  wrapped.prototype = inner.prototype as object;
  bindTo(inner, wrapped, EMITTER_METHODS); // the database's model tells of its indexes and errors
  return Object.defineProperties(wrapped, {
    [WRAPPER]: { value: true },
    name: { value: inner.name, configurable: true },
    length: { value: inner.length, configurable: true },
    db: { value: callableConnection(asItself('db', modelOf), database.connection), writable: true, configurable: true },
    tenant: { value: asItself('tenant', () => modelOf(host.tenantDatabase())), writable: true, configurable: true },
  }) as unknown as PolyModelOf<M>;
}

/** mongoose reads `Model.db` as the connection, users call it with a name: a function that has the connection as its prototype. */
function callableConnection(call: (name: string) => unknown, connection: Connection): object {
  Object.setPrototypeOf(call, connection);
  Object.defineProperty(call, 'name', { value: connection.name, configurable: true });
  bindTo(connection, call, [...EMITTER_METHODS, 'set']);
  return call;
}

/** Listeners and options are kept by whom they belong to, not by what inherits from it. */
function bindTo(owner: object, target: object, methods: readonly string[]): void {
  for (const name of methods) {
    const method = Reflect.get(owner, name) as (...args: unknown[]) => unknown;
    Object.defineProperty(target, name, { value: method.bind(owner), configurable: true });
  }
}
