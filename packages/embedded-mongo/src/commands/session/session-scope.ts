import { CommandError } from '../../errors.js';
import { tickOf } from '../../storage/clock.js';
import type { Operation } from '../operation.js';

/** Takes the operation's session and begins or continues its transaction. Gives a promise only if it has to wait. */
export function enterSession(op: Operation): Promise<void> | undefined {
  const { generic, command, server } = op;
  if (generic.lsid === undefined) {
    if (generic.txnNumber !== undefined) {
      throw new CommandError('InvalidOptions', 'Transaction number requires a session ID to also be specified');
    }
    if (generic.autocommit !== undefined || generic.startTransaction) {
      throw new CommandError('InvalidOptions', 'Autocommit requires a session ID to also be specified');
    }
    return undefined;
  }
  if (command.isSessionFree) return undefined;
  checkTransactionFields(op);
  op.session = server.sessions.findOrCreate(generic.lsid, generic.lsidDoc!, op.client.owner);
  if (generic.txnNumber === undefined) {
    op.session.lastUseMS = Date.now(); // only numbered operations hold the session
    return undefined;
  }
  const wait = op.session.checkOut(op);
  if (wait) return wait.then(() => beginOrContinueChecked(op));
  beginOrContinueChecked(op);
  return undefined;
}

/** Gives the session back. A statement that failed has ended its transaction. */
export function leaveSession(op: Operation, error: unknown): void {
  const { session } = op;
  if (!session) return;
  session.checkIn(op);
  if (error !== undefined && op.isInTransaction && op.command.name !== 'commitTransaction') {
    session.transaction.abortIfOpen();
  }
}

function beginOrContinueChecked(op: Operation): void {
  try {
    beginOrContinue(op);
  } catch (error) {
    op.session!.checkIn(op);
    throw error;
  }
}

function beginOrContinue(op: Operation): void {
  const { generic, server } = op;
  const { transaction, retryableWrites, key, lsid } = op.session!;
  const txnNumber = generic.txnNumber!;
  if (!op.isInTransaction) {
    if (transaction.beginRetryableWrite(txnNumber, key)) retryableWrites.clear();
    return;
  }
  if (generic.startTransaction) {
    const at = generic.readConcern?.atClusterTime;
    transaction.begin(
      txnNumber,
      key,
      () => server.storage.beginTransaction({ lsid, txnNumber }, at ? tickOf(at) : undefined),
      server.parameters.transactionLifetimeMS,
    );
    retryableWrites.clear();
    transaction.onEnd(() => server.cursors.killOfTransaction(key, txnNumber));
    return;
  }
  transaction.continue(txnNumber, key);
  const isEnd = op.command.name === 'commitTransaction' || op.command.name === 'abortTransaction';
  if (!isEnd) transaction.requireInProgress();
}

const TRANSACTION_LEVELS = ['local', 'majority', 'snapshot'];

/** The rules on lsid, txnNumber, autocommit and startTransaction together. @throws CommandError */
function checkTransactionFields({ generic, command, commandName, db, args }: Operation): void {
  if (generic.txnNumber === undefined) {
    if (generic.autocommit !== undefined) {
      throw new CommandError('InvalidOptions', "'autocommit' field requires a transaction number to also be specified");
    }
    if (generic.startTransaction) {
      throw new CommandError(
        'InvalidOptions',
        "'startTransaction' field requires a transaction number to be specified",
      );
    }
    return;
  }
  if (generic.txnNumber < 0n) throw new CommandError('InvalidOptions', 'Transaction number cannot be negative');
  if (generic.autocommit === undefined) {
    if (generic.startTransaction) {
      throw new CommandError(
        'InvalidOptions',
        "'startTransaction' field requires 'autocommit' field to also be specified",
      );
    }
    if (!command.isRetryableWrite) {
      throw new CommandError(
        50768,
        `txnNumber may only be provided for multi-document transactions and retryable write commands. autocommit:false was not provided, and ${commandName} is not a retryable write command.`,
      );
    }
    return;
  }
  if (generic.autocommit) throw new CommandError('InvalidOptions', 'Specifying autocommit=true is not allowed.');
  if (args.has('startTransaction') && !generic.startTransaction) {
    throw new CommandError('InvalidOptions', 'Specifying startTransaction=false is not allowed.');
  }
  if (!command.isAllowedInTransaction) {
    const advice =
      command.name === 'count'
        ? ' Please see http://dochub.mongodb.org/core/transaction-count for a recommended alternative.'
        : '';
    throw new CommandError(
      'OperationNotSupportedInTransaction',
      `Cannot run '${commandName}' in a multi-document transaction.${advice}`,
    );
  }
  const isEnd = command.name === 'commitTransaction' || command.name === 'abortTransaction';
  if (generic.startTransaction && (isEnd || command.name === 'killCursors')) {
    throw new CommandError(
      'OperationNotSupportedInTransaction',
      `Cannot run '${commandName}' as the first command of a multi-document transaction.`,
    );
  }
  if (!isEnd) checkTransactionNamespace(db, args.get(commandName));
  if (generic.readConcern && !generic.startTransaction) {
    throw new CommandError('InvalidOptions', 'Only the first command in a transaction may specify a readConcern');
  }
  if (generic.readConcern?.level && !TRANSACTION_LEVELS.includes(generic.readConcern.level)) {
    throw new CommandError(
      'InvalidOptions',
      "The readConcern level must be either 'local' (default), 'majority' or 'snapshot' in order to run in a transaction",
    );
  }
  if (args.has('writeConcern') && !isEnd) {
    throw new CommandError('InvalidOptions', 'writeConcern is not allowed within a multi-statement transaction');
  }
}

function checkTransactionNamespace(db: string, coll: unknown): void {
  const isInternal = db === 'config' || db === 'admin' || db === 'local';
  if (isInternal && typeof coll === 'string') {
    throw new CommandError(
      'OperationNotSupportedInTransaction',
      `Cannot run command against the '${db}' database in a transaction.`,
    );
  }
  if (typeof coll === 'string' && coll.startsWith('system.')) {
    throw new CommandError(
      'OperationNotSupportedInTransaction',
      `Cannot run command against the '${db}.${coll}' collection in a transaction.`,
    );
  }
}
