import type { Value } from '../../bson/value.js';
import { apiParameters } from '../api-version.js';
import type { Operation } from '../operation.js';
import { fieldsOf, reply } from '../reply.js';
import type { ReplyDoc, ReplyValue } from '../reply.js';
import { ClientCursor } from './client-cursor.js';
import type { Batch, DocumentSource } from './client-cursor.js';
import { takeInTurns } from './take-in-turns.js';

/** How many documents a first batch has unless `batchSize` says. */
const DEFAULT_FIRST_BATCH = 101;

export interface CursorOptions {
  readonly batchSize?: number | undefined;
  /** Closed after the first batch, whatever is left. */
  readonly isSingleBatch?: boolean;
  readonly isAwaitData?: boolean;
  readonly noTimeout?: boolean;
  readonly isChangeStream?: boolean;
}

/** Answers with a first batch, and keeps a cursor if there is more. */
export function openCursor(
  op: Operation,
  ns: string,
  source: DocumentSource,
  options: CursorOptions = {},
): ReplyDoc | Promise<ReplyDoc> {
  const cursor = new ClientCursor(
    ns,
    source,
    {
      session: op.generic.lsid,
      owner: op.client.owner,
      transaction: op.isInTransaction ? op.generic.txnNumber : undefined,
      api: apiParameters(op.args),
    },
    op,
    options,
  );
  const answer = (batch: Batch): ReplyDoc => {
    const isClosed = batch.isLast || options.isSingleBatch === true;
    if (isClosed) cursor.close();
    else cursor.leftMS = op.interrupt.leftMS;
    const id = isClosed ? 0n : op.server.cursors.register(cursor);
    op.hasOpenCursor = !isClosed;
    return reply({ cursor: cursorFields('firstBatch', cursor, batch, id) });
  };
  const batch = takeInTurns(op, cursor, options.batchSize ?? DEFAULT_FIRST_BATCH);
  return batch instanceof Promise ? batch.then(answer) : answer(batch);
}

export function cursorFields(
  batchName: 'firstBatch' | 'nextBatch',
  cursor: ClientCursor,
  batch: Batch,
  id: bigint,
): ReplyDoc {
  const extra: Record<string, Value> = cursor.source.batchFields?.() ?? {};
  return reply({ [batchName]: batch.documents as ReplyValue, ...extra, id, ns: cursor.ns });
}

/** A cursor with nothing in it, for a namespace that does not exist. */
export const emptyCursor = (ns: string): ReplyDoc => reply({ cursor: fieldsOf({ firstBatch: [], id: 0n, ns }) });

/** A source over documents that are made one after the other. */
export const sourceOf = (documents: Iterator<Uint8Array>): DocumentSource => ({
  next: () => documents.next().value as Uint8Array | undefined,
  close: () => void documents.return?.(),
});
