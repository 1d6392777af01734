import { inspect } from 'node:util';
import { ModelExtensionError } from '../models/model.errors.js';
import type { AnyModel } from '../models/model.types.js';
import { MODEL } from '../native/mongoose.private.js';
import { ReplacedMembers } from './replaced.members.js';

type Callable = (...args: unknown[]) => unknown;
type Members = Record<PropertyKey, unknown>;

/** What belongs to the schema and not to a database; readable without a tenant. */
const SHARED = new Set<PropertyKey>([
  'schema',
  'modelName',
  'base',
  'baseModelName',
  'hooks',
  'events',
  MODEL.events,
  MODEL.eventsCount,
  MODEL.maxListeners,
  'toString',
  'toJSON',
  'inspect',
  inspect.custom,
  Symbol.toPrimitive,
  Symbol.toStringTag,
]);

/** What looks like a method of the compiled model, or cannot be read there, and is another on each database. */
const LIVE = new Set<PropertyKey>(['collection', MODEL.collection, 'Query']);

/** What every database's model has, and the compiled one lacks. */
const ADDED = new Set<PropertyKey>(['watch$', Symbol.hasInstance]);

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
 * It is a function that learns its members: a key asked for the first time comes to the Proxy behind it, which gives it
 * to what the function inherits from, as a property of the kind that mongoose's models have: whoever replaces one, as a
 * spy does, has it on the function, and takes it away again. A property costs a tenth of a Proxy's trap.
 * @param blueprint the compiled model, for what needs no tenant
 * @param prototype what the documents of all tenants inherit: who puts a spy there means them
 */
export function createTenantModel<M extends AnyModel>(blueprint: M, prototype: object, tenant: CurrentTenant<M>): M {
  const shared = blueprint as unknown as Members;
  const model = function (...args: unknown[]) {
    if (new.target !== undefined && new.target !== (model as unknown)) refuseExtension('new');
    return Reflect.construct(tenant.model() as unknown as Callable, args) as object;
  };
  const replaced = new ReplacedMembers(model);
  const current = () => replaced.on(tenant.model()) as unknown as Members;

  const refuseExtension = (operation: string): never => {
    throw new ModelExtensionError(blueprint.modelName, operation);
  };

  /** What a spy calls through to, too: then `this` may be the model of the tenant that it was called for. */
  const methodOf = (key: PropertyKey): Callable =>
    function (this: unknown, ...args) {
      const seen = this === model ? undefined : replaced.original(this);
      if (seen) return callOn(this, seen, key, args);
      if (this !== model && Object.prototype.isPrototypeOf.call(model, this as object)) refuseExtension(String(key));
      const own = tenant.model();
      return callOn(replaced.on(own), own, key, args);
    };

  const memberOf = (key: PropertyKey): PropertyDescriptor => {
    const value = shared[key];
    if (SHARED.has(key)) return { value, writable: true };
    if (ADDED.has(key) || (!LIVE.has(key) && typeof value === 'function'))
      return { value: methodOf(key), writable: true };
    const set = function (this: object, given: unknown) {
      Object.defineProperty(this, key, { value: given, writable: true, enumerable: true, configurable: true });
    };
    return { get: key === 'db' ? tenant.connection : () => current()[key], set };
  };

  const learned = Object.create(null) as object;
  /** Of what no model has nothing is kept: it may come later, as a static does. */
  const learn = (key: PropertyKey): PropertyDescriptor | undefined => {
    if (!ADDED.has(key) && !isMember(blueprint, key)) return undefined;
    if (!Object.hasOwn(learned, key))
      Object.defineProperty(learned, key, { ...memberOf(key), enumerable: true, configurable: true });
    return Object.getOwnPropertyDescriptor(learned, key);
  };
  // A function behind it, or V8 says of the model that it is '[object Object]'.
  const unlearned = new Proxy(() => {}, {
    get: (_, key, receiver) => Reflect.get(learn(key) ? learned : Function.prototype, key, receiver) as unknown,
    has: (_, key) => ADDED.has(key) || key in blueprint,
    ownKeys: () => Reflect.ownKeys(blueprint),
    getOwnPropertyDescriptor: (_, key) => learn(key),
    getPrototypeOf: () => Reflect.getPrototypeOf(blueprint),
  });
  Object.setPrototypeOf(learned, unlearned);
  Object.setPrototypeOf(model, learned);
  // Its own, or the completer of Node 24's REPL takes them for values, reads them, and ends the process.
  for (const key of [...Reflect.ownKeys(blueprint), 'db']) {
    const descriptor = learn(key);
    if (descriptor?.get && !Object.hasOwn(model, key))
      Object.defineProperty(model, key, { ...descriptor, enumerable: false });
  }
  model.prototype = prototype;
  for (const key of ['name', 'length'] as const) Object.defineProperty(model, key, { value: blueprint[key] });
  return model as unknown as M;
}

/** What every function has is none of a model's. */
function isMember(model: object, key: PropertyKey): boolean {
  for (let at: object | null = model; at && at !== Function.prototype; at = Reflect.getPrototypeOf(at))
    if (Object.hasOwn(at, key)) return true;
  return false;
}

const callOn = (on: unknown, own: unknown, key: PropertyKey, args: unknown[]): unknown =>
  (own as Record<PropertyKey, Callable>)[key]!.apply(on, args);
