import { CommandError } from '../errors.js';

/**
 * Two writers want the same record, index key or namespace; the one that came second gets this (first updater wins).
 * A multi-document transaction must be aborted; a writer outside transactions waits for `blockedBy` and tries again,
 * which `Storage.write` does.
 */
export class WriteConflict extends CommandError {
  /** @param blockedBy resolves when the transaction that is in the way has ended; undefined if it has committed already */
  constructor(readonly blockedBy?: Promise<void>) {
    super(
      'WriteConflict',
      'Caused by :: Write conflict during plan execution and yielding is disabled. :: Please retry your operation or multi-document transaction.',
    );
  }
}
