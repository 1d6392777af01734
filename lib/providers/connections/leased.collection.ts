import mongoose from 'mongoose';
import type { Collection, Connection, mongo } from 'mongoose';
import { inTurn, type CallContext } from '../sessions/call.context.js';
import { BULK_BUILDERS, joinTransaction } from '../sessions/collection.session.js';
import type { Database, DatabaseConnection } from '../databases/database.js';
import { write, WRITES } from '../databases/first.write.js';
import { buildBulk, clientOf } from '../native/driver.private.js';
import { COLLECTION, NativeCollection } from '../native/mongoose.private.js';
import { inPoolsTurn } from './command.turn.js';
import { observed } from './observed.operation.js';
import { leaseBulk } from './leased.bulk.js';
import { leaseAggregation, leaseCursor } from './leased.cursor.js';
import { leaseChangeStream } from './leased.stream.js';
import { limitTime } from './time.limit.js';

type Method = (this: LeasedCollection, ...args: unknown[]) => unknown;

/** A mongoose collection whose every call waits for its database's pool and holds a lease on it until it is done. */
class LeasedCollection extends NativeCollection {
  declare conn: DatabaseConnection;

  /** The pool makes calls wait, never mongoose's buffer; mongoose's own classes set it and read it in many places. */
  override get buffer(): boolean {
    return false;
  }
  override set buffer(_: boolean) {
    // as above
  }
  override [COLLECTION.onOpen](): void {
    // as above
  }

  /** What mongoose puts off until the connection opens waits for the pool by itself. */
  override [COLLECTION.putOff](...call: unknown[]): unknown {
    super[COLLECTION.putOff](...call);
    return this[COLLECTION.doPutOff]();
  }

  /** The driver's collection on the pool's client, which is another one after the pool was reconfigured. */
  override [COLLECTION.driversCollection](): mongo.Collection {
    const { db } = this.conn;
    if (this.collection?.dbName !== db!.databaseName || clientOf(this.collection) !== db!.client)
      this.collection = db!.collection(this.name);
    return this.collection!;
  }
}

/** What a method that answers at once, without a promise, gives back; the lease begins with its first use. */
const LAZY: Record<
  string,
  (result: never, database: Database, context: CallContext, method: string, collection: LeasedCollection) => unknown
> = {
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
  const native = (NativeCollection.prototype as unknown as Record<string, Method>)[name]!;
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
    return lease(native.apply(this, args as unknown[]) as never, database, context, name, this);
  };
}

function building(name: string, native: Method): Method {
  return function (...given) {
    const { database } = this.conn;
    const { args, context } = joinTransaction(database, name, limitTime(database, name, given));
    const collection = () => this[COLLECTION.driversCollection]();
    const bulk = buildBulk(collection(), () => native.apply(this, args as unknown[]) as never);
    return leaseBulk(bulk, collection, (execute) =>
      observed(this, 'bulkWrite', () => write(database, this.name, context, inPoolsTurn(database, context, execute))),
    );
  };
}

function atOnce(name: string, native: Method): Method {
  const isWrite = WRITES.has(name);
  const isDropping = DROPPING.has(name);
  const send = (collection: LeasedCollection, given: readonly unknown[]): Promise<unknown> => {
    const { database } = collection.conn;
    const { args, context } = joinTransaction(database, name, limitTime(database, name, given));
    const call = inPoolsTurn(database, context, () => native.apply(collection, args as unknown[]) as Promise<unknown>);
    if (isWrite) return write(database, collection.name, context, call);
    const result = database.hold(inTurn(context, call));
    return isDropping ? result.finally(() => database.forgetContents()) : result;
  };
  return function (...given) {
    return this.conn.database.observer ? observed(this, name, () => send(this, given)) : send(this, given);
  };
}

export const createLeasedCollection = (name: string, connection: Connection, options: object): Collection =>
  new LeasedCollection(name, connection, options);
