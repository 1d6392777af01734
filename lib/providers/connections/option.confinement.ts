import type { mongo } from 'mongoose';
import { OtherDatabaseError } from '../pools/pool.errors.js';
import type { Database } from '../databases/database.js';
import { OPTIONS_AT } from '../sessions/collection.session.js';

type Method = (...args: unknown[]) => unknown;

/** Where the driver's methods take their options; those that answer with a cursor take no database from them. */
const CURSORS = new Set(['aggregate', 'find', 'initializeOrderedBulkOp', 'initializeUnorderedBulkOp']);
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

/** Has a collection of the driver take no other database from an operation's options, where its own is confined. */
export const confineCollectionOptions = (collection: mongo.Collection, database: Database): void =>
  confineOptions(collection, database, OF_COLLECTION);

/** As {@link confineCollectionOptions}, of the driver's database. */
export const confineDbOptions = (db: mongo.Db, database: Database): void => confineOptions(db, database, OF_DB);

function confineOptions(target: object, database: Database, optionsAt: Readonly<Record<string, number>>): void {
  const methods = target as Record<string, Method | undefined>;
  for (const [name, at] of Object.entries(optionsAt)) {
    const method = methods[name];
    if (!method || CURSORS.has(name)) continue;
    methods[name] = async (...args) => {
      if (args.length > at) args[at] = confinedOptions(database, name, args[at]);
      return method.apply(target, args);
    };
  }
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
