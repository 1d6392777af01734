import mongoose from 'mongoose';
import { ChangeStreamHistoryLostError } from './change-stream.errors.js';
import { ConnectionBudgetError, PoolConnectError, PoolForceClosedError } from '../pools/pool.errors.js';

/** Codes on which a stream may go on from its token. @see https://github.com/mongodb/specifications/blob/master/source/change-streams/change-streams.md#resumable-error */
const RESUMABLE_CODES: ReadonlySet<unknown> = new Set([
  6, 7, 43, 63, 89, 91, 133, 150, 189, 234, 262, 9001, 10107, 11600, 11602, 13388, 13435, 13436,
]);

/** The token points to what the oplog no longer holds, or to nothing: ChangeStreamHistoryLost, InvalidResumeToken, ChangeStreamFatalError. */
const HISTORY_LOST_CODES: ReadonlySet<unknown> = new Set([286, 260, 280]);

/** What the driver says when its client is closed under a stream. */
const CLOSED_CLIENT = new Set([
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoClientClosedError',
  'MongoServerClosedError',
  'MongoExpiredSessionError',
  'MongoWaitQueueTimeoutError',
]);

/**
 * Opening the stream again, from its token, may help.
 * @param hasOpened it was open before; a pool that cannot be opened at all is then only a pause
 */
export function isResumable(error: unknown, hasOpened: boolean): boolean {
  if (error instanceof PoolConnectError || error instanceof ConnectionBudgetError) return hasOpened;
  if (error instanceof PoolForceClosedError) return true;
  const { MongoError, MongoNetworkError, MongoServerSelectionError } = mongoose.mongo;
  if (!(error instanceof MongoError)) return false;
  if (error.hasErrorLabel('NonResumableChangeStreamError')) return false;
  if (error instanceof MongoServerSelectionError) return hasOpened;
  return (
    error instanceof MongoNetworkError ||
    error.hasErrorLabel('ResumableChangeStreamError') ||
    RESUMABLE_CODES.has(error.code) ||
    CLOSED_CLIENT.has(error.name)
  );
}

/** The error a subscriber gets: typed where it can do something about it, else the driver's own. */
export function finalError(error: unknown, source: string): unknown {
  const { code } = (error ?? {}) as { code?: unknown };
  return HISTORY_LOST_CODES.has(code) ? new ChangeStreamHistoryLostError(source, error) : error;
}

/** The server cannot read the token that it was given; it has many codes for that, and names the token in each message. */
export const isTokenRefusal = (error: unknown): boolean =>
  error instanceof mongoose.mongo.MongoServerError &&
  !HISTORY_LOST_CODES.has(error.code) &&
  /resume ?token|KeyString/i.test(error.message);
