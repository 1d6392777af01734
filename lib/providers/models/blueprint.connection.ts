import mongoose from 'mongoose';
import type { Collection, Connection, Mongoose, Query, Schema } from 'mongoose';
import { COLLECTION, CONNECTION, emitterOf, MODEL, Native } from '../native/mongoose.private.js';
import { createFailedCursor } from '../connections/failed.cursor.js';
import type { Plugin } from '../../polymongo.options.js';
import { BlueprintModelError } from './model.errors.js';
import type { AnyModel } from './model.types.js';

/** The calls of a collection that answer at once, with something to be read. */
const LAZY = new Set(['find', 'aggregate', 'listIndexes', 'listSearchIndexes']);

/** Those that answer at once with what nobody may ever read, or has to fill first: they throw. */
const THROWING = new Set(['watch', 'initializeOrderedBulkOp', 'initializeUnorderedBulkOp']);

/** What of a connection would give it a client, lead to another one, or not ask it to connect. */
const REFUSED = ['watch', 'useDb', 'openUri', 'asPromise', 'setClient', 'createClient', 'aggregate'];

/** A connection to nothing, on which each schema is compiled once. It is never opened, and every operation on it is refused. */
class BlueprintConnection extends Native {
  constructor(base: Mongoose, plugins: readonly Plugin[]) {
    super(base);
    this.plugins = [...plugins];
    this.config = { autoIndex: false, autoCreate: false, autoSearchIndex: false };
  }

  /** Nothing is made for the compiled model; hooks of `createCollection` are not called for it. */
  override model(name: string, schema: Schema, ...rest: unknown[]): AnyModel {
    const asMade = (model: AnyModel & { [MODEL.init]?: Promise<unknown> }) => {
      model[MODEL.init] ??= refusedInit(model); // read by Model.init()
    };
    const emitter = emitterOf(schema);
    emitter.once('init', asMade);
    try {
      return super.model(name, schema, ...rest) as AnyModel;
    } finally {
      emitter.removeListener('init', asMade);
    }
  }

  override collection(name: string, options: { modelName?: string } = {}): Collection {
    const refused = (operation: string) => new BlueprintModelError(options.modelName ?? name, operation);
    const state = { name, collectionName: name, conn: this, buffer: false };
    const data = { ...state, [COLLECTION.shouldBuffer]: () => false };
    return new Proxy(data as unknown as Collection, {
      get(target, key) {
        if (key in target || typeof key === 'symbol' || key === 'then') return Reflect.get(target, key) as unknown;
        if (THROWING.has(key)) {
          return () => {
            throw refused(key);
          };
        }
        return LAZY.has(key) ? () => createFailedCursor(refused(key)) : () => Promise.reject(refused(key));
      },
    });
  }

  /** At once: not everybody who calls it hears of a promise. */
  [CONNECTION.waitForConnect](): never {
    throw new BlueprintModelError('a schema', 'connect');
  }
}

for (const operation of REFUSED) {
  const refuse = (): never => {
    throw new BlueprintModelError('a schema', operation);
  };
  Object.defineProperty(BlueprintConnection.prototype, operation, { value: refuse });
}

/** @param plugins what every schema compiled on it gets, as by `connection.plugin()` */
export const createBlueprintConnection = (base: Mongoose, plugins: readonly Plugin[]): Connection =>
  new BlueprintConnection(base, plugins) as unknown as Connection;

/** What asks the collection or the connection for nothing at first. Models of databases inherit it and have it work. */
function refuseItself(blueprint: AnyModel, operation: 'watch' | 'useConnection' | 'namespace'): void {
  const native = Reflect.get(blueprint, operation) as (...args: unknown[]) => unknown;
  const value = function (this: unknown, ...args: unknown[]): unknown {
    if (this === blueprint) throw new BlueprintModelError(blueprint.modelName, operation);
    return native.apply(this, args);
  };
  Object.defineProperty(blueprint, operation, { value, writable: true, configurable: true });
}

/** A query that was made before the model was taken over has the collection that the model had then. */
function refuseQueries(blueprint: AnyModel): void {
  const { prototype } = (blueprint as unknown as { Query: { prototype: Pick<Query<unknown, unknown>, 'exec'> } }).Query;
  const native = prototype.exec as (...args: unknown[]) => Promise<unknown>;
  const value = function (this: { model?: unknown; op?: string }, ...args: unknown[]): Promise<unknown> {
    if (this.model !== blueprint) return native.apply(this, args);
    return Promise.reject(new BlueprintModelError(blueprint.modelName, this.op ?? 'exec'));
  };
  Object.defineProperty(prototype, 'exec', { value, writable: true, configurable: true });
}

function refusedInit({ modelName }: AnyModel): Promise<never> {
  const refused = Promise.reject<never>(new BlueprintModelError(modelName, 'init'));
  refused.catch(() => {}); // whoever calls init() hears of it
  return refused;
}

/**
 * Takes the database away from a model that was compiled on a connection. Whoever kept it (a plugin that listens to the
 * schema's 'init', a static that names it) gets an error then, and never the documents of another database.
 */
export function takeOver(blueprint: AnyModel, connection: Connection): void {
  for (const name of ['watch', 'useConnection', 'namespace'] as const) refuseItself(blueprint, name);
  if (blueprint.db instanceof BlueprintConnection) return;
  refuseQueries(blueprint);
  const collection = connection.collection(blueprint.collection.name, { modelName: blueprint.modelName } as object);
  Object.assign(blueprint, {
    db: connection,
    collection,
    [MODEL.collection]: collection,
    [MODEL.init]: refusedInit(blueprint),
  });
  const prototype = blueprint.prototype as Record<string | symbol, unknown>;
  for (const key of [...Object.getOwnPropertyNames(prototype), ...Object.getOwnPropertySymbols(prototype)]) {
    const { value } = Object.getOwnPropertyDescriptor(prototype, key)!;
    if (value instanceof Native) prototype[key] = connection;
    else if (value instanceof mongoose.Collection) prototype[key] = collection;
  }
}
