import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pause } from '../../bson/pause.js';
import { sliced } from '../../bson/work.js';
import type { Operation } from '../operation.js';
import type { Batch, ClientCursor } from './client-cursor.js';

/**
 * Takes a batch for the operation that reads the cursor. Where that is long, others have their turn in between, among
 * them those who end it.
 */
export const takeInTurns = (op: Operation, cursor: ClientCursor, batchSize: number): Batch | Promise<Batch> =>
  inTurns(op, () => cursor.take(batchSize));

/** Does work to its end, and gives what it comes to. Where that is long, others have their turn whenever it pauses. */
export const finishInTurns = <T extends object | number>(op: Operation, work: Generator<Pause, T>): T | Promise<T> =>
  inTurns(op, () => {
    const { done, value } = work.next();
    return done ? value : undefined;
  });

/** @param slice is called until it gives something */
function inTurns<T>(op: Operation, slice: () => T | undefined): T | Promise<T> {
  const once = (): T | undefined => op.compute(() => sliced(slice));
  return once() ?? goOn(op, once);
}

async function goOn<T>(op: Operation, once: () => T | undefined): Promise<T> {
  for (;;) {
    await nextTurn();
    op.interrupt.check();
    void op.transactionUnit; // which has not ended meanwhile
    const result = once();
    if (result !== undefined) return result;
  }
}
