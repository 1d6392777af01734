import { PolyMongoError } from '../../polymongo.errors.js';

/** A session of one connection pool was used on another one. */
export class SessionMismatchError extends PolyMongoError {
  constructor(
    /** The database that the session's pool is named after. */
    readonly sessionDb: string,
    /** The database that the operation was to run on. */
    readonly dbName: string,
  ) {
    super(
      `This session belongs to the connection pool of ${sessionDb}, but the operation runs on ${dbName}, which has a ` +
        `pool of its own. A transaction stays on one pool: use transaction(fn, { db: '${dbName}' }), or move the ` +
        'operation out of it.',
    );
  }
}

/** An operation of a transaction came after its function had returned or failed. */
export class TransactionEndedError extends PolyMongoError {
  constructor() {
    super(
      'This operation belongs to a transaction that is over: its function has returned, failed or been started again. ' +
        'Await every operation inside the function; give { session: null } to one that is to run outside of it.',
    );
  }
}

/** Something that MongoDB has no command for in a transaction was asked for inside of one. */
export class TransactionUnsupportedError extends PolyMongoError {
  constructor(
    /** The method that was called, without parentheses, such as `dropDatabase`. */
    readonly operation: string,
    /** The database whose connection it was called on. */
    readonly dbName: string,
  ) {
    super(
      `${operation}() of ${dbName} was called inside a transaction, where MongoDB does not allow it. Call it before the ` +
        'transaction or after it.',
    );
  }
}
