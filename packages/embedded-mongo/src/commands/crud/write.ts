import type { WriteUnit } from '../../storage/write-unit.js';
import { WriteConflict } from '../../storage/write-conflict.js';
import { CommandError } from '../../errors.js';
import { boolArgument, integerArgument } from '../arguments.js';
import type { Operation } from '../operation.js';

/**
 * Runs `work` in the operation's transaction, or else in a unit of its own that is committed at once. Outside a
 * transaction it waits for the transactions that are in its way and runs `work` again, so `work` must not do anything
 * but through the unit. Gives a promise only if it has to wait.
 */
export function runWrite<T>(op: Operation, work: (unit: WriteUnit) => T): T | Promise<T> {
  const transaction = op.transactionUnit;
  if (transaction) return op.compute(() => work(transaction));
  const unit = op.server.storage.beginWrite();
  try {
    return op.compute(() => {
      const result = work(unit);
      failTransactionalWrite(op);
      unit.commit();
      return result;
    });
  } catch (error) {
    unit.abort();
    const blockedBy = error instanceof WriteConflict ? error.blockedBy : undefined;
    if (!blockedBy) throw error;
    return op.interrupt.wait(() => blockedBy).then(() => runWrite(op, work));
  }
}

/** The fail point `onPrimaryTransactionalWrite`, for retryable writes: fails them before, or closes the connection after. */
function failTransactionalWrite(op: Operation): void {
  const failPoint =
    op.generic.txnNumber === undefined ? undefined : op.server.failPoints.get('onPrimaryTransactionalWrite');
  if (!failPoint?.fires()) return;
  op.isAnswerLost = boolArgument(failPoint.data, 'closeConnection', true);
  const code = integerArgument(failPoint.data, 'failBeforeCommitExceptionCode');
  if (code !== undefined) {
    throw new CommandError(code, 'Failing write due to failpoint. The write must not be reflected.');
  }
}
