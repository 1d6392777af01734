import { outsideTransaction } from '../sessions/active.transaction.js';
import { inTurn, type CallContext } from '../sessions/call.context.js';
import type { Database } from './database.js';

/** The driver's collection methods that bring documents in or change what an index holds. */
export const WRITES: ReadonlySet<string> = new Set([
  'insertOne',
  'insertMany',
  'bulkWrite',
  'updateOne',
  'updateMany',
  'replaceOne',
  'findOneAndUpdate',
  'findOneAndReplace',
]);

/** Runs a write on a collection once its indexes are there; that they are costs one look-up. */
export function write<T>(
  database: Database,
  collection: string,
  context: CallContext,
  operation: () => Promise<T>,
): Promise<T> {
  const run = inTurn(context, operation);
  if (isPrepared(database, collection)) return database.hold(run);
  return database.run(async () => {
    await prepare(database, collection, context);
    return run();
  });
}

/**
 * Has a collection and its indexes made for a write: outside of any transaction, because inside createIndexes could wait
 * for that very transaction's locks.
 */
export async function prepare(
  database: Database,
  collection: string,
  { session, transaction }: CallContext,
): Promise<void> {
  if (isPrepared(database, collection)) return;
  const preparation = database.equipment.preparation!;
  if (transaction) {
    if (preparation.isNeeded(database, collection))
      transaction.restartAfter(() => preparation.prepare(database, collection));
  } else if (!session?.inTransaction()) {
    await outsideTransaction(() => preparation.prepare(database, collection));
  }
  // In a transaction that the caller began by himself the server makes the collection; the indexes come with the next
  // write outside, or with `init()` before.
}

const isPrepared = ({ equipment, contents }: Database, collection: string): boolean =>
  !equipment.preparation || contents.prepared.has(collection);
