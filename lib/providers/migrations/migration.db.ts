import type { mongo } from 'mongoose';
import type { Database } from '../databases/database.js';
import { inTurn } from '../sessions/call.context.js';
import { ANSWERING_AT_ONCE, joinTransaction, OPTIONS_AT } from '../sessions/collection.session.js';

type Method = (...args: unknown[]) => unknown;

/**
 * The driver's database, whose collections join the transaction around. Unlike those of models they make no indexes before
 * they write: a migration writes to what the indexes of the models do not fit yet.
 */
export const migrationDb = (database: Database): mongo.Db =>
  withMethods(database.connection.db!, {
    collection: (db) =>
      ((...args: Parameters<mongo.Db['collection']>) => joining(db.collection(...args), database)) as Method,
    createCollection: (db) => joined(db, 'createCollection', database),
  });

function joining(collection: mongo.Collection, database: Database): mongo.Collection {
  const joinedMethods = Object.keys(OPTIONS_AT).map((name) => [
    name,
    (target: mongo.Collection) => joined(target, name, database),
  ]);
  return withMethods(collection, Object.fromEntries(joinedMethods) as Replacements<mongo.Collection>);
}

function joined(target: object, name: string, database: Database): Method {
  return (...given) => {
    const { args, context } = joinTransaction(database, name, given);
    const call = () => (target as Record<string, Method>)[name]!(...args);
    return ANSWERING_AT_ONCE.has(name) ? call() : inTurn(context, call as () => Promise<unknown>)();
  };
}

type Replacements<T> = Readonly<Record<string, (target: T) => Method>>;

/** The object itself, but for these methods. */
const withMethods = <T extends object>(target: T, replacements: Replacements<T>): T =>
  new Proxy(target, {
    get(_, key) {
      if (typeof key === 'string' && Object.hasOwn(replacements, key)) return replacements[key]!(target);
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value as Method).bind(target) : value;
    },
  });
