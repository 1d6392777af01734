import { CommandError, ErrorCodes } from '../../errors.js';
import { countArgument, integerArgument, longArgument, stringArgument } from '../arguments.js';
import type { Command } from '../command.js';
import { apiParameters } from '../api-version.js';
import type { Operation } from '../operation.js';
import { reply } from '../reply.js';
import type { ReplyDoc } from '../reply.js';
import type { ClientCursor } from './client-cursor.js';
import { cursorFields } from './open-cursor.js';
import { takeInTurns } from './take-in-turns.js';

/** How long a tailable cursor with awaitData waits unless `maxTimeMS` says. */
const DEFAULT_AWAIT_MS = 1000;

export const getMore: Command = {
  name: 'getMore',
  isInApiV1: true,
  isAllowedInTransaction: true,
  args: {
    getMore: 'exactLong!',
    collection: 'string!',
    batchSize: 'number',
    maxTimeMS: 'number',
    term: 'any',
    lastKnownCommittedOpTime: 'any',
  },
  async run(op) {
    const cursor = findCursor(op);
    cursor.reader = op.interrupt;
    op.cursor = cursor;
    cursor.opener.successor = op;
    try {
      failAfterCheckout(op);
      limitTime(op, cursor);
      const batch = await nextBatch(op, cursor);
      op.isRepeated = op.request.isExhaustAllowed && !cursor.isClosed;
      return batch;
    } catch (error) {
      cursor.reader = undefined;
      op.server.cursors.kill(cursor.id); // an error in a getMore ends its cursor
      throw error;
    } finally {
      cursor.reader = undefined;
      cursor.leftMS = op.interrupt.leftMS;
      cursor.lastUseMS = Date.now();
    }
  },
};

function findCursor(op: Operation): ClientCursor {
  const { args, generic, db, server } = op;
  const id = longArgument(args, 'getMore')!;
  const coll = stringArgument(args, 'collection')!;
  if (coll === '') throw new CommandError('InvalidNamespace', 'Collection names cannot be empty');
  const ns = `${db}.${coll}`;
  const cursor = server.cursors.find(id);
  op.isChangeStream = cursor.options.isChangeStream === true;
  if (cursor.ns !== ns) {
    throw new CommandError(
      'Unauthorized',
      `Requested getMore on namespace '${ns}', but cursor belongs to a different namespace ${cursor.ns}`,
    );
  }
  const { session, transaction, owner } = cursor.origin;
  if (owner !== op.client.owner) {
    throw new CommandError('Unauthorized', `cursor id ${id} was not created by the authenticated user`);
  }
  if (session !== generic.lsid) {
    throw new CommandError(
      session === undefined ? 50737 : generic.lsid === undefined ? 50736 : 50738,
      `Cannot run getMore on cursor ${id}, which was ${session === undefined ? 'not created in a session' : `created in session ${session}`}, in ${generic.lsid === undefined ? 'no session' : `session ${generic.lsid}`}`,
    );
  }
  const current = op.isInTransaction ? generic.txnNumber : undefined;
  if (transaction !== current) {
    throw new CommandError(
      transaction === undefined ? 50740 : current === undefined ? 50739 : 50741,
      `Cannot run getMore on cursor ${id}, which was ${transaction === undefined ? 'not created in a transaction' : `created in transaction ${transaction}`}, in ${current === undefined ? 'no transaction' : `transaction ${current}`}`,
    );
  }
  const api = apiParameters(args);
  if (api !== cursor.origin.api) {
    throw new CommandError(
      'APIMismatchError',
      `API parameter mismatch: getMore used params ${api}, the cursor-creating command used ${cursor.origin.api}`,
    );
  }
  if (cursor.isPinned) {
    throw new CommandError('CursorInUse', `cursor id ${id} is already in use`);
  }
  if (op.args.has('maxTimeMS') && !cursor.options.isAwaitData) {
    throw new CommandError('BadValue', 'cannot set maxTimeMS on getMore command for a non-awaitData cursor');
  }
  return cursor;
}

/** The fail point `failGetMoreAfterCursorCheckout`. */
function failAfterCheckout({ server, client }: Operation): void {
  const failPoint = server.failPoints.get('failGetMoreAfterCursorCheckout');
  const appName = failPoint && stringArgument(failPoint.data, 'appName');
  if (!failPoint || (appName !== undefined && appName !== client.appName) || !failPoint.fires()) return;
  const code = integerArgument(failPoint.data, 'errorCode') ?? ErrorCodes.InternalError;
  throw new CommandError(code, "Hit the 'failGetMoreAfterCursorCheckout' failpoint");
}

/** The `maxTimeMS` of the command that opened a cursor counts for all of its batches together (manual: cursor.maxTimeMS);
 * one that awaits data has the time each getMore gives it. */
function limitTime({ interrupt, server }: Operation, { leftMS, options }: ClientCursor): void {
  if (leftMS === Infinity || options.isAwaitData) return;
  interrupt.setMaxTime(Math.max(leftMS, Number.MIN_VALUE));
  if (server.failPoints.get('maxTimeAlwaysTimeOut')?.fires()) interrupt.expireNow();
  interrupt.check();
}

async function nextBatch(op: Operation, cursor: ClientCursor): Promise<ReplyDoc> {
  const batchSize = countArgument(op.args, 'batchSize') || Infinity;
  let batch = await takeInTurns(op, cursor, batchSize);
  if (batch.documents.length === 0 && !batch.isLast && cursor.options.isAwaitData) {
    const untilMS = performance.now() + (integerArgument(op.args, 'maxTimeMS') ?? DEFAULT_AWAIT_MS);
    for (let leftMS = untilMS - performance.now(); leftMS > 0; leftMS = untilMS - performance.now()) {
      await cursor.source.awaitData?.(op.interrupt, leftMS);
      batch = await takeInTurns(op, cursor, batchSize);
      if (batch.documents.length > 0 || batch.isLast) break;
    }
  }
  if (batch.isLast) {
    cursor.reader = undefined; // it ends by itself
    op.server.cursors.kill(cursor.id);
  }
  return reply({ cursor: cursorFields('nextBatch', cursor, batch, batch.isLast ? 0n : cursor.id) });
}
