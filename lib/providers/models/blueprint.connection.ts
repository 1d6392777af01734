import mongoose from 'mongoose';
import type { Collection, Connection, Mongoose } from 'mongoose';
import { PolyMongoError } from '../../polymongo.errors.js';

const Native = mongoose.connection.constructor as unknown as new (base: Mongoose) => Connection;

/**
 * A connection to nothing, on which each schema is compiled once. It is never opened; what mongoose starts on it by
 * itself (making the collection, building indexes) fails at once instead of waiting for a connection for ever.
 */
class BlueprintConnection extends (Native as unknown as new (base: Mongoose) => { config: object }) {
  constructor(base: Mongoose) {
    super(base);
    this.config = { autoIndex: false, autoCreate: false, autoSearchIndex: false };
  }

  collection(name: string): Collection {
    return new Proxy({ name, collectionName: name, conn: this } as unknown as Collection, {
      get: (target, key) => (key in target || key === 'then' ? Reflect.get(target, key) : refuse),
    });
  }

  async _waitForConnect(): Promise<void> {
    return refuse();
  }
}

export const createBlueprintConnection = (base: Mongoose): Connection =>
  new BlueprintConnection(base) as unknown as Connection;

function refuse(): never {
  throw new PolyMongoError('This model is a blueprint without a database. Use the wrapped model, or its .db(name).');
}
