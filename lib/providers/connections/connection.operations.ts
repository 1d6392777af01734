import type { mongo } from 'mongoose';
import type { Database } from '../databases/database.js';
import { transactionOn } from '../sessions/active.transaction.js';
import { joinTransaction } from '../sessions/collection.session.js';
import { TransactionUnsupportedError } from '../sessions/session.errors.js';
import { ModelDatabaseError } from './connection.errors.js';
import { confineAggregation, leaseAggregation } from './leased.cursor.js';
import { leaseChangeStream } from './leased.stream.js';
import { confineCollectionOptions, confineDbOptions, confinedOptions } from './option.confinement.js';
import { confined, confinedCommand } from './pipeline.confinement.js';

/** The driver's database, whose streams and cursors hold leases, and which keeps to itself where it is confined. */
export function leaseDb(db: mongo.Db, database: Database): void {
  const watch = db.watch.bind(db);
  const aggregate = db.aggregate.bind(db);
  Object.assign(db, {
    watch: (...args: Parameters<mongo.Db['watch']>) => leaseChangeStream(watch(...args), database),
    aggregate: (...given: Parameters<mongo.Db['aggregate']>) => {
      const { args, context } = joinTransaction(database, 'aggregate', given);
      const cursor = confineAggregation(aggregate(...(args as typeof given)), database);
      return leaseAggregation(cursor, database, context, 'aggregate');
    },
  });
  confineDb(db, database);
}

function confineDb(db: mongo.Db, database: Database): void {
  confineDbOptions(db, database);
  const collection = db.collection.bind(db);
  const createCollection = db.createCollection.bind(db);
  const command = db.command.bind(db);
  const runCursorCommand = db.runCursorCommand.bind(db);
  Object.assign(db, {
    collection: (...args: Parameters<mongo.Db['collection']>) => confineCollection(collection(...args), database),
    createCollection: async (name: string, given?: mongo.CreateCollectionOptions) => {
      const options = confinedOptions(database, 'createCollection', given);
      const pipeline = confined(database, options?.pipeline, db.bsonOptions); // of a view
      const made = await createCollection(name, options && { ...options, ...(pipeline && { pipeline }) });
      return confineCollection(made, database);
    },
    command: async (document: mongo.Document, options?: mongo.RunCommandOptions) =>
      command(confinedCommand(database, document, options), options),
    runCursorCommand: (document: mongo.Document, options?: mongo.RunCursorCommandOptions) =>
      runCursorCommand(confinedCommand(database, document, options), options),
  });
}

function confineCollection(collection: mongo.Collection, database: Database): mongo.Collection {
  confineCollectionOptions(collection, database);
  const aggregate = collection.aggregate.bind(collection);
  return Object.assign(collection, {
    aggregate: (...args: Parameters<mongo.Collection['aggregate']>) => confineAggregation(aggregate(...args), database),
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
