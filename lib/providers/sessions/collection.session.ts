import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import { clientOf } from '../native/driver.private.js';
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

/** The legacy builders of bulk writes, which send nothing before `execute()`. */
export const BULK_BUILDERS: ReadonlySet<string> = new Set(['initializeOrderedBulkOp', 'initializeUnorderedBulkOp']);

/** Of the methods above those that answer at once, with a cursor or builder. */
export const ANSWERING_AT_ONCE: ReadonlySet<string> = new Set(['aggregate', 'find', ...BULK_BUILDERS]);

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
  const given = at === undefined ? args.at(-1) : args[at];
  const signal = signalIn(given);
  const alone = signal ? { signal } : ALONE;
  const session = sessionIn(given);
  if (session !== undefined) {
    if (!(session instanceof mongoose.mongo.ClientSession)) return { args, context: alone };
    assertSession(session, database);
    const transaction = transactionOf(session);
    transaction?.admit(database.name);
    return { args, context: { session, transaction, signal } };
  }
  const transaction = at === undefined ? undefined : transactionOn(database);
  if (at === undefined || !transaction) return { args, context: alone };
  const joined = { session: transaction.session };
  return { args: withOptions(args, at, joined), context: { ...joined, transaction, signal } };
}

/** What ends a call early; the driver says what is none. */
function signalIn(options: unknown): AbortSignal | undefined {
  const { signal } = (options ?? {}) as { signal?: unknown };
  return signal instanceof AbortSignal ? signal : undefined;
}

/** What a call says of its session: undefined where it says nothing. */
const sessionIn = (options: unknown): unknown =>
  typeof options === 'object' && options !== null && Object.hasOwn(options, 'session')
    ? (options as { session: unknown }).session
    : undefined;

/** Arguments with more in the options, which stand at a place of them. */
export function withOptions(args: readonly unknown[], at: number, more: object): readonly unknown[] {
  const given = args[at] as object | null | undefined;
  return Array.from({ length: Math.max(args.length, at + 1) }, (_, i) => (i === at ? { ...given, ...more } : args[i]));
}

/** A session works on the client that made it; on another one the driver's own error names neither. */
function assertSession(session: mongo.ClientSession, database: ServedDatabase): void {
  const client = clientOf(session);
  if (client && client !== database.pool.client) {
    throw new SessionMismatchError(database.pool.host.nameOfClient(client) ?? 'another client', database.name);
  }
}
