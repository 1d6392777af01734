import mongoose from 'mongoose';
import type { Collection, Connection, mongo } from 'mongoose';
import { inTurn, type CallContext } from '../sessions/call.context.js';
import { BULK_BUILDERS, joinTransaction } from '../sessions/collection.session.js';
import type { Database, DatabaseConnection } from '../databases/database.js';
import { write, WRITES } from '../databases/first.write.js';
import { inPoolsTurn } from './command.turn.js';
import { buildBulk, leaseBulk } from './leased.bulk.js';
import { leaseAggregation, leaseCursor } from './leased.cursor.js';
import { leaseChangeStream } from './leased.stream.js';
import { limitTime } from './time.limit.js';

interface NativeCollection extends Collection {
  get buffer(): boolean;
  set buffer(_: boolean);
  conn: DatabaseConnection;
  collection: mongo.Collection | null;
  onOpen(): void;
  addQueue(...call: unknown[]): unknown;
  doQueue(): unknown;
  _getCollection(): mongo.Collection;
}
type Method = (this: NativeCollection, ...args: unknown[]) => unknown;

const Native = nativeCollectionClass();

/** A mongoose collection whose every call waits for its database's pool and holds a lease on it until it is done. */
class LeasedCollection extends Native {
  /** The pool makes calls wait, never mongoose's buffer; mongoose's own classes set it and read it in many places. */
  override get buffer(): boolean {
    return false;
  }
  override set buffer(_: boolean) {
    // as above
  }
  override onOpen(): void {
    // as above
  }

  /** What mongoose puts off until the connection opens waits for the pool by itself. */
  override addQueue(...call: unknown[]): unknown {
    super.addQueue(...call);
    return this.doQueue();
  }

  /** The driver's collection on the pool's client, which is another one after the pool was reconfigured. */
  override _getCollection(): mongo.Collection {
    const { db } = this.conn;
    if (this.collection?.dbName !== db!.databaseName || clientOf(this.collection) !== db!.client)
      this.collection = db!.collection(this.name);
    return this.collection!;
  }
}

/** What a method that answers at once, without a promise, gives back; the lease begins with its first use. */
const LAZY: Record<string, (result: never, database: Database, context: CallContext, collection: string) => unknown> = {
  find: leaseCursor<mongo.FindCursor>,
  aggregate: leaseAggregation,
  listIndexes: leaseCursor<mongo.ListIndexesCursor>,
  listSearchIndexes: leaseCursor<mongo.ListSearchIndexesCursor>,
  watch: leaseChangeStream,
};

/** After these the collection, with its indexes, is to be made anew before the next write. */
const DROPPING = new Set(['drop', 'rename']);

for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(mongoose.mongo.Collection.prototype))) {
  if (name === 'constructor' || typeof value !== 'function') continue;
  const native = (Native.prototype as unknown as Record<string, Method>)[name]!;
  const method = LAZY[name]
    ? lazily(name, native)
    : BULK_BUILDERS.has(name)
      ? building(name, native)
      : atOnce(name, native);
  Object.defineProperty(LeasedCollection.prototype, name, { value: method, writable: true, configurable: true });
}

function lazily(name: string, native: Method): Method {
  const lease = LAZY[name]!;
  return function (...given) {
    const { database } = this.conn;
    const { args, context } = joinTransaction(database, name, limitTime(database, name, given));
    return lease(native.apply(this, args as unknown[]) as never, database, context, this.name);
  };
}

function building(name: string, native: Method): Method {
  return function (...given) {
    const { database } = this.conn;
    const { args, context } = joinTransaction(database, name, limitTime(database, name, given));
    const collection = () => this._getCollection();
    const bulk = buildBulk(collection(), () => native.apply(this, args as unknown[]) as never);
    return leaseBulk(bulk, collection, (execute) =>
      write(database, this.name, context, inPoolsTurn(database, context, execute)),
    );
  };
}

function atOnce(name: string, native: Method): Method {
  const isWrite = WRITES.has(name);
  const isDropping = DROPPING.has(name);
  return function (...given) {
    const { database } = this.conn;
    const { args, context } = joinTransaction(database, name, limitTime(database, name, given));
    const call = inPoolsTurn(database, context, () => native.apply(this, args as unknown[]) as Promise<unknown>);
    if (isWrite) return write(database, this.name, context, call);
    const result = database.hold(inTurn(context, call));
    return isDropping ? result.finally(() => database.forgetContents()) : result;
  };
}

export const createLeasedCollection = (name: string, connection: Connection, options: object): Collection =>
  new LeasedCollection(name, connection, options);

const clientOf = (collection: mongo.Collection): mongo.MongoClient =>
  (collection as unknown as { client: mongo.MongoClient }).client;

/**
 * mongoose exports no name for the class of a connection's collections, and its `constructor` property is taken by a
 * driver method; a connection that is never opened gives the prototype, and the exported base class constructs.
 */
function nativeCollectionClass() {
  const NativeConnection = mongoose.connection.constructor as unknown as new (base: unknown) => Connection;
  const prototype = Object.getPrototypeOf(new NativeConnection(mongoose).collection('probe')) as object;
  const construct = mongoose.Collection as unknown as (
    this: object,
    name: string,
    connection: Connection,
    options: object,
  ) => void;
  const Native = function (
    this: Record<string, unknown>,
    name: string,
    connection: Connection,
    options: { modelName?: string },
  ) {
    this['collection'] = null;
    this['modelName'] = options.modelName;
    construct.call(this, name, connection, options);
  };
  Native.prototype = prototype;
  return Native as unknown as new (name: string, connection: Connection, options: object) => NativeCollection;
}
