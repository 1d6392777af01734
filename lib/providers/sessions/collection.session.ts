import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import { SessionMismatchError } from './session.errors.js';
import { transactionOf, transactionOn, type ServedDatabase } from './active.transaction.js';
import { ALONE, type CallContext } from './call.context.js';

/** Where the driver's collection methods take their options, for those that a transaction reaches. */
export const OPTIONS_AT: Readonly<Record<string, number>> = {
  aggregate: 1,
  bulkWrite: 1,
  count: 1,
  countDocuments: 1,
  createCollection: 1,
  createIndex: 1,
  createIndexes: 1,
  deleteMany: 1,
  deleteOne: 1,
  distinct: 2,
  drop: 0,
  dropIndex: 1,
  dropIndexes: 0,
  estimatedDocumentCount: 0,
  find: 1,
  findOne: 1,
  findOneAndDelete: 1,
  findOneAndReplace: 2,
  findOneAndUpdate: 2,
  initializeOrderedBulkOp: 0,
  initializeUnorderedBulkOp: 0,
  insertMany: 1,
  insertOne: 1,
  rename: 1,
  replaceOne: 2,
  updateMany: 2,
  updateOne: 2,
};

/**
 * The transaction that a collection call belongs to, and its arguments with the session in them. A call that names a
 * session keeps it (`null`: outside); one that names none, or hands on a session that it was not given (`undefined`), joins
 * the transaction around it.
 * @throws SessionMismatchError when the session is another pool's; TenantSwitchError when the transaction is another tenant's
 */
export function joinTransaction(
  database: ServedDatabase,
  method: string,
  args: readonly unknown[],
): { context: CallContext; args: readonly unknown[] } {
  const at = OPTIONS_AT[method];
  const given = (at === undefined ? args.at(-1) : args[at]) as { session?: unknown } | null | undefined;
  const session = typeof given === 'object' && given !== null && Object.hasOwn(given, 'session') && given.session;
  if (session !== false && session !== undefined) {
    if (!(session instanceof mongoose.mongo.ClientSession)) return { args, context: ALONE };
    assertSession(session, database);
    const transaction = transactionOf(session);
    transaction?.admit(database.name, transaction);
    return { args, context: { session, transaction } };
  }
  const transaction = at === undefined ? undefined : transactionOn(database);
  if (at === undefined || !transaction) return { args, context: ALONE };
  const joined = Array.from({ length: Math.max(args.length, at + 1) }, (_, i) => args[i]);
  joined[at] = { ...given, session: transaction.session };
  return { args: joined, context: { session: transaction.session, transaction } };
}

/** A session works on the client that made it; on another one the driver's own error names neither. */
function assertSession(session: mongo.ClientSession, database: ServedDatabase): void {
  const { client } = session as unknown as { client?: mongo.MongoClient };
  if (client && client !== database.pool.client) {
    throw new SessionMismatchError(database.pool.host.nameOfClient(client) ?? 'another client', database.name);
  }
}
