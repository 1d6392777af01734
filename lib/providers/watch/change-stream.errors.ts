import { messageOf, PolyMongoError } from '../../polymongo.errors.js';

/** A change stream cannot go on: the server does not keep the history any more that its resume token points to. */
export class ChangeStreamHistoryLostError extends PolyMongoError {
  constructor(
    /** What was watched: `db.collection`, `db`, or 'the cluster'. */
    readonly source: string,
    cause: unknown,
  ) {
    super(
      `The change stream on ${source} cannot go on from its resume token: ${messageOf(cause)}. Changes may have been ` +
        'missed. Read the current state again, delete the stored token (tokenStore.delete) and watch from now on; a ' +
        'larger oplog or a shorter pause prevents it.',
      { cause },
    );
  }
}

/** A change stream ended because what it watched was dropped or renamed. */
export class ChangeStreamInvalidatedError extends PolyMongoError {
  constructor(
    /** What was watched: `db.collection` or `db`. */
    readonly source: string,
    /** Give it as `startAfter` to go on with what takes the place of the dropped collection. */
    readonly resumeToken: unknown,
  ) {
    super(
      `The change stream on ${source} ended: the collection or database was dropped or renamed. Watch again with ` +
        '{ startAfter: error.resumeToken } to go on with its successor.',
    );
  }
}

/** What a token store has under a key is no resume token. */
export class InvalidResumeTokenError extends PolyMongoError {
  constructor(
    /** The key that the store was asked for. */
    readonly tokenKey: string,
    reason: string,
    cause?: unknown,
  ) {
    super(
      `What the token store has for '${tokenKey}' ${reason}, not a resume token. Changes may have been missed: read the ` +
        'current state again and delete it (tokenStore.delete) to watch from now on. A store gives back what it was ' +
        'given, and undefined or null when it has nothing.',
      { cause },
    );
  }
}

/** A subscriber takes longer for changes than they arrive, and its buffer is full. */
export class ChangeBufferOverflowError extends PolyMongoError {
  constructor(
    /** What was watched: `db.collection`, `db`, or 'the cluster'. */
    readonly source: string,
    /** How many changes the subscriber may be behind: the option of that name. */
    readonly bufferSize: number,
  ) {
    super(
      `A subscriber of the change stream on ${source} is more than ${bufferSize} changes behind. Raise bufferSize, or ` +
        'take changes one at a time: watch$({ process }), for await (const change of watch$()), or @OnChange.',
    );
  }
}
