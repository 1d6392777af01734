import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import { OtherDatabaseError } from '../pools/pool.errors.js';
import type { Database } from '../databases/database.js';
import { ANSWERING_AT_ONCE, OPTIONS_AT } from '../sessions/collection.session.js';

type Method = (this: object, ...args: unknown[]) => unknown;

/** On an object of the driver: the database it is kept to. */
const KEPT_TO = Symbol('polymongo.database');
type Kept = { readonly [KEPT_TO]: Database };

/** Where the driver's methods take their options; those that answer at once take no database from them. */
const OF_COLLECTION = { ...OPTIONS_AT, indexes: 0, indexInformation: 0, indexExists: 1, isCapped: 0, options: 0 };
const OF_DB = {
  createIndex: 2,
  dropCollection: 1,
  dropDatabase: 0,
  indexInformation: 1,
  profilingLevel: 0,
  removeUser: 1,
  renameCollection: 2,
  setProfilingLevel: 1,
  stats: 0,
};

const Collection = keeping(mongoose.mongo.Collection, OF_COLLECTION);
const Db = keeping(mongoose.mongo.Db, OF_DB);

/** Has a collection of the driver take no other database from an operation's options, where its own is confined. */
export const confineCollectionOptions = (collection: mongo.Collection, database: Database): void =>
  keep(collection, database, Collection);

/** As {@link confineCollectionOptions}, of the driver's database. */
export const confineDbOptions = (db: mongo.Db, database: Database): void => keep(db, database, Db);

const keep = (target: object, database: Database, prototype: object): void =>
  void Object.setPrototypeOf(Object.defineProperty(target, KEPT_TO, { value: database }), prototype);

/** A prototype over the driver's own, with the methods that take options: one for all objects, of which there are thousands. */
function keeping({ prototype }: { prototype: object }, optionsAt: Readonly<Record<string, number>>): object {
  const methods: PropertyDescriptorMap = {};
  for (const [name, at] of Object.entries(optionsAt)) {
    if (!(name in prototype) || ANSWERING_AT_ONCE.has(name)) continue;
    const native = () => Reflect.get(prototype, name) as Method; // looked up by each call: somebody may instrument the driver
    const kept = async (target: object, database: Database, args: unknown[]) =>
      native().apply(
        target,
        args.map((arg, i) => (i === at ? confinedOptions(database, name, arg) : arg)),
      );
    const value = function (this: Kept, ...args: unknown[]): unknown {
      const { [KEPT_TO]: database } = this;
      return database.equipment.isConfined && args.length > at
        ? kept(this, database, args)
        : native().apply(this, args);
    };
    methods[name] = { value, writable: true, configurable: true };
  }
  return Object.create(prototype, methods) as object;
}

/**
 * The options of an operation, without those by which the driver sends it to another database. A copy where it has any.
 * @throws OtherDatabaseError
 */
export function confinedOptions<T>(database: Database, operation: string, options: T): T {
  if (!database.equipment.isConfined || typeof options !== 'object' || options === null) return options;
  if (!('dbName' in options) && !('authdb' in options)) return options;
  const { dbName, authdb } = options as { dbName?: unknown; authdb?: unknown }; // maybe inherited; the driver reads those too
  for (const named of [dbName, authdb]) {
    if (named !== undefined && named !== database.name)
      throw new OtherDatabaseError(operation, database.name, String(named));
  }
  return { ...options, dbName: undefined, authdb: undefined };
}
