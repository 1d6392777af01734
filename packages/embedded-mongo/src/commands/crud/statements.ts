import { CommandError, ErrorCodes, isInterruption } from '../../errors.js';
import { WriteConflict } from '../../storage/write-conflict.js';
import { arrayArgument, integerArgument } from '../arguments.js';
import type { Operation } from '../operation.js';
import { fieldsOf, int } from '../reply.js';
import type { ReplyDoc, ReplyValue } from '../reply.js';
import type { StatementResult } from '../session/retryable-writes.js';

/** What the statements of one write command did. */
export interface BatchOutcome {
  readonly results: { readonly index: number; readonly result: StatementResult }[];
  readonly writeErrors: ReplyDoc[];
  readonly retriedStmtIds: number[];
}

/** What insert, update and delete all take beside their statements. */
export const WRITE_BATCH_ARGUMENTS = {
  ordered: 'bool',
  bypassDocumentValidation: 'safeBool',
  stmtId: 'exactInt',
  stmtIds: 'array',
  collectionUUID: 'binData',
} as const;

/**
 * Runs a write command's statements in order. A failed one becomes a write error; when `isOrdered`, or in a
 * transaction, it is the last. A statement of a retryable write that was done before is answered, not done again.
 */
export async function runStatements(
  op: Operation,
  count: number,
  isOrdered: boolean,
  run: (index: number) => StatementResult | Promise<StatementResult>,
): Promise<BatchOutcome> {
  const outcome: BatchOutcome = { results: [], writeErrors: [], retriedStmtIds: [] };
  for (let index = 0; index < count; index++) {
    const stmtId = stmtIdOf(op, index);
    const known = stmtId === undefined ? undefined : op.session?.retryableWrites.find(stmtId);
    if (known) {
      outcome.results.push({ index, result: known });
      outcome.retriedStmtIds.push(stmtId!);
      continue;
    }
    try {
      op.interrupt.check();
      const pending = run(index);
      const result = pending instanceof Promise ? await pending : pending;
      outcome.results.push({ index, result });
      if (stmtId !== undefined) op.session?.retryableWrites.record(stmtId, result);
    } catch (error) {
      if (!(error instanceof CommandError) || isInterruption(error)) throw error;
      if (op.isInTransaction) {
        if (error instanceof WriteConflict || error.code === ErrorCodes.WriteConflict) throw error;
        op.session!.transaction.abortIfOpen();
      }
      outcome.writeErrors.push(writeErrorOf(index, error));
      if (isOrdered || op.isInTransaction) break;
    }
  }
  return outcome;
}

/** The statement's number in its retryable write; undefined outside of one. */
export function stmtIdOf({ args, generic, isInTransaction }: Operation, index: number): number | undefined {
  if (generic.txnNumber === undefined || isInTransaction) return undefined;
  const stmtIds = arrayArgument(args, 'stmtIds');
  if (stmtIds) return Number(stmtIds[index]);
  return (integerArgument(args, 'stmtId') ?? 0) + index;
}

function writeErrorOf(index: number, error: CommandError): ReplyDoc {
  const doc: ReplyDoc = new Map<string, ReplyValue>([
    ['index', int(index)],
    ['code', int(error.code)],
  ]);
  for (const [name, value] of Object.entries(error.extra)) doc.set(name, value as ReplyValue);
  doc.set('errmsg', error.message);
  return doc;
}

/** The fields that every batch's reply ends with. */
export const batchFields = ({ writeErrors, retriedStmtIds }: BatchOutcome): Record<string, ReplyValue | undefined> => ({
  writeErrors: writeErrors.length > 0 ? writeErrors : undefined,
  retriedStmtIds: retriedStmtIds.length > 0 ? retriedStmtIds.map(int) : undefined,
});

export const upsertedOf = (index: number, id: ReplyDoc): ReplyDoc =>
  fieldsOf({ index: int(index), _id: id.get('_id') as never });
