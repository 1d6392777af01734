import { ErrorCodes } from '../errors.js';

const SOCKET_EXCEPTION = 9001;

/** The RetriableError category of mongo/src/mongo/base/error_codes.yml. */
const RETRIABLE = new Set<number>([
  ErrorCodes.HostUnreachable,
  ErrorCodes.HostNotFound,
  ErrorCodes.NetworkTimeout,
  ErrorCodes.ShutdownInProgress,
  ErrorCodes.PrimarySteppedDown,
  ErrorCodes.ExceededTimeLimit,
  SOCKET_EXCEPTION,
  ErrorCodes.NotWritablePrimary,
  ErrorCodes.InterruptedAtShutdown,
  ErrorCodes.InterruptedDueToReplStateChange,
  ErrorCodes.NotPrimaryNoSecondaryOk,
  ErrorCodes.NotPrimaryOrSecondary,
  ErrorCodes.ReadConcernMajorityNotAvailableYet,
]);

const STALE_CONFIG = [63, 150, 13388];
const RETRY_CHANGE_STREAM = 234;
const FAILED_TO_SATISFY_READ_PREFERENCE = 133;
const RESUMABLE = new Set<number>([
  ...RETRIABLE,
  ...STALE_CONFIG,
  RETRY_CHANGE_STREAM,
  FAILED_TO_SATISFY_READ_PREFERENCE,
]);
RESUMABLE.delete(ErrorCodes.ReadConcernMajorityNotAvailableYet);

const PREPARED_TRANSACTION_IN_PROGRESS = 267;
const TRANSIENT = new Set<number>([
  ErrorCodes.WriteConflict,
  ErrorCodes.LockTimeout,
  ErrorCodes.SnapshotUnavailable,
  ErrorCodes.SnapshotTooOld,
  PREPARED_TRANSACTION_IN_PROGRESS,
]);

const NON_RESUMABLE_CHANGE_STREAM = new Set<number>([
  ErrorCodes.CappedPositionLost,
  ErrorCodes.ChangeStreamFatalError,
  ErrorCodes.ChangeStreamHistoryLost,
]);

/** What the labels of a failed command depend on. */
export interface FailedCommand {
  readonly commandName: string;
  readonly isInTransaction: boolean;
  readonly isRetryableWrite: boolean;
  readonly isChangeStream: boolean;
}

/**
 * The error labels a server adds to an error reply, or to a reply with a write concern error
 * (mongo/src/mongo/db/error_labels.cpp).
 */
export function errorLabelsOf(failed: FailedCommand, code: number | undefined, writeConcernCode?: number): string[] {
  const labels: string[] = [];
  const isCommitOrAbort = failed.commandName === 'commitTransaction' || failed.commandName === 'abortTransaction';
  if (failed.isInTransaction && code !== undefined) {
    const isNoSuchTransaction = code === ErrorCodes.NoSuchTransaction;
    const isTransient = isCommitOrAbort
      ? TRANSIENT.has(code) || (isNoSuchTransaction && writeConcernCode === undefined)
      : TRANSIENT.has(code) || isNoSuchTransaction || RETRIABLE.has(code);
    if (isTransient) labels.push('TransientTransactionError');
  }
  if (failed.isRetryableWrite || (failed.isInTransaction && isCommitOrAbort)) {
    const isRetriable = RETRIABLE.has(code ?? -1) || RETRIABLE.has(writeConcernCode ?? -1);
    if (isRetriable) labels.push('RetryableWriteError');
  }
  if (code !== undefined && failed.isChangeStream && RESUMABLE.has(code)) labels.push('ResumableChangeStreamError');
  if (code !== undefined && NON_RESUMABLE_CHANGE_STREAM.has(code)) labels.push('NonResumableChangeStreamError');
  return labels;
}
