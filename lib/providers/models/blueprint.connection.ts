import mongoose from 'mongoose';
import type { EventEmitter } from 'node:events';
import type { Collection, Connection, Mongoose, Schema } from 'mongoose';
import { createFailedCursor } from '../connections/failed.cursor.js';
import type { Plugin } from '../../polymongo.options.js';
import { BlueprintModelError } from './model.errors.js';
import type { AnyModel } from './model.types.js';

interface BlueprintParts {
  model(name: string, schema: Schema, ...rest: unknown[]): AnyModel;
  config: object;
  plugins: Plugin[];
}

const Native = mongoose.connection.constructor as unknown as new (base: Mongoose) => Connection;

/** The calls of a collection that answer at once, with something to be read. */
const LAZY = new Set(['find', 'aggregate', 'watch', 'listIndexes', 'listSearchIndexes']);

/** A connection to nothing, on which each schema is compiled once. It is never opened, and every operation on it is refused. */
class BlueprintConnection extends (Native as unknown as new (base: Mongoose) => BlueprintParts) {
  constructor(base: Mongoose, plugins: readonly Plugin[]) {
    super(base);
    this.plugins = [...plugins];
    this.config = { autoIndex: false, autoCreate: false, autoSearchIndex: false };
  }

  /** Nothing is made for the compiled model; hooks of `createCollection` are not called for it. */
  override model(name: string, schema: Schema, ...rest: unknown[]): AnyModel {
    const asMade = (model: { $init?: Promise<unknown> }) => {
      model.$init ??= Promise.resolve(model); // read by Model.init()
    };
    (schema as unknown as EventEmitter).once('init', asMade);
    try {
      return super.model(name, schema, ...rest);
    } finally {
      (schema as unknown as EventEmitter).removeListener('init', asMade);
    }
  }

  collection(name: string, options: { modelName?: string } = {}): Collection {
    const refused = (operation: string) => new BlueprintModelError(options.modelName ?? name, operation);
    const data = { name, collectionName: name, conn: this, buffer: false, _shouldBufferCommands: () => false };
    return new Proxy(data as unknown as Collection, {
      get(target, key) {
        if (key in target || typeof key === 'symbol' || key === 'then') return Reflect.get(target, key) as unknown;
        return LAZY.has(key) ? () => createFailedCursor(refused(key)) : () => Promise.reject(refused(key));
      },
    });
  }

  async _waitForConnect(): Promise<void> {
    throw new BlueprintModelError('a schema', 'connect');
  }
}

/** @param plugins what every schema compiled on it gets, as by `connection.plugin()` */
export const createBlueprintConnection = (base: Mongoose, plugins: readonly Plugin[]): Connection =>
  new BlueprintConnection(base, plugins) as unknown as Connection;

/**
 * Takes the database away from a model that was compiled on a connection. Whoever kept it (a plugin that listens to the
 * schema's 'init', a static that names it) gets an error then, and never the documents of another database.
 */
export function takeOver(blueprint: AnyModel, connection: Connection): void {
  if (blueprint.db instanceof BlueprintConnection) return;
  const collection = connection.collection(blueprint.collection.name, { modelName: blueprint.modelName } as object);
  Object.assign(blueprint, { db: connection, collection, $__collection: collection });
  const prototype = blueprint.prototype as Record<string | symbol, unknown>;
  for (const key of [...Object.getOwnPropertyNames(prototype), ...Object.getOwnPropertySymbols(prototype)]) {
    const { value } = Object.getOwnPropertyDescriptor(prototype, key)!;
    if (value instanceof (Native as never)) prototype[key] = connection;
    else if (value instanceof mongoose.Collection) prototype[key] = collection;
  }
}
