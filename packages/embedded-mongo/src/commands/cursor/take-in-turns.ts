import { setImmediate as nextTurn } from 'node:timers/promises';
import { sliced } from '../../bson/work.js';
import type { Operation } from '../operation.js';
import type { Batch, ClientCursor } from './client-cursor.js';

/**
 * Takes a batch for the operation that reads the cursor. Where that is long, others have their turn in between, among
 * them those who end it.
 */
export function takeInTurns(op: Operation, cursor: ClientCursor, batchSize: number): Batch | Promise<Batch> {
  return slice(op, cursor, batchSize) ?? takeOn(op, cursor, batchSize);
}

async function takeOn(op: Operation, cursor: ClientCursor, batchSize: number): Promise<Batch> {
  for (;;) {
    await nextTurn();
    op.interrupt.check();
    void op.transactionUnit; // which has not ended meanwhile
    const batch = slice(op, cursor, batchSize);
    if (batch) return batch;
  }
}

const slice = (op: Operation, cursor: ClientCursor, batchSize: number): Batch | undefined =>
  op.compute(() => sliced(() => cursor.take(batchSize)));
