import type { mongo } from 'mongoose';
import type { Database } from '../databases/database.js';
import { transactionOn } from '../sessions/active.transaction.js';
import { joinTransaction } from '../sessions/collection.session.js';
import { TransactionUnsupportedError } from '../sessions/session.errors.js';
import { ModelDatabaseError } from './connection.errors.js';
import { leaseAggregation } from './leased.cursor.js';
import { leaseChangeStream } from './leased.stream.js';

/** The driver's database, whose streams and cursors hold leases. */
export function leaseDb(db: mongo.Db, database: Database): void {
  const watch = db.watch.bind(db);
  const aggregate = db.aggregate.bind(db);
  Object.assign(db, {
    watch: (...args: Parameters<mongo.Db['watch']>) => leaseChangeStream(watch(...args), database),
    aggregate: (...given: Parameters<mongo.Db['aggregate']>) => {
      const { args, context } = joinTransaction(database, 'aggregate', given);
      return leaseAggregation(aggregate(...(args as typeof given)), database, context);
    },
  });
}

/** MongoDB has no such command in a transaction, so nobody can mean it to be part of one. */
export function outsideOn<T>(database: Database, operation: string, call: () => Promise<T>): Promise<T> {
  if (transactionOn(database)) return Promise.reject(new TransactionUnsupportedError(operation, database.name));
  return database.run(call);
}

/** What is dropped is made anew, with its indexes, before the next write. */
export async function dropOn(database: Database, operation: string, drop: () => Promise<unknown>): Promise<unknown> {
  try {
    return await outsideOn(database, operation, drop);
  } finally {
    database.forgetContents();
  }
}

/**
 * The collections that a connection's bulkWrite writes to. mongoose writes to the namespace of the model, whatever
 * connection it was called on.
 * @throws ModelDatabaseError
 */
export function collectionsOf({ name, connection }: Database, operations: unknown): Set<string> {
  const collections = new Set<string>();
  if (!Array.isArray(operations)) return collections;
  for (const { model } of operations as { model?: unknown }[]) {
    const target = (typeof model === 'string' ? connection.models[model] : model) as WrittenModel | undefined;
    if (!target?.collection) continue; // mongoose says so
    if (target.db.name !== name) throw new ModelDatabaseError(target.modelName, target.db.name, name);
    collections.add(target.collection.name);
  }
  return collections;
}

type WrittenModel = { modelName: string; db: { name: string }; collection: { name: string } };
