import { isCausedBy, messageOf, PolyMongoError } from '../../polymongo.errors.js';
import type { PoolState } from '../../polymongo.types.js';

/** A call was made with buffering off (`bufferCommands: false`) while its database was not connected yet. */
export class PoolInitializingError extends PolyMongoError {
  constructor(
    /** The database that the call was for. */
    readonly dbName: string,
  ) {
    super(
      `Connection for ${dbName} is still initializing. It is not initialized until connectDB("${dbName}") resolves: ` +
        'await that first, or leave bufferCommands on so that calls wait.',
    );
  }
}

/** A pool could not be opened. `cause` is the driver's error. */
export class PoolConnectError extends PolyMongoError {
  constructor(
    /** The database that the pool is named after; of the primary pool the default database. */
    readonly dbName: string,
    /** How often connecting was tried, as `retry.attempts` says; 1 without it. */
    readonly attempts: number,
    redactedURI: string,
    cause: unknown,
  ) {
    const reason = isAuthenticationError(cause) ? `authentication failed (${messageOf(cause)})` : messageOf(cause);
    const gaveUp = attempts > 1 ? `Max reconnection attempts reached (${attempts}). ` : '';
    super(
      `${gaveUp}Database connection not ready: ${dbName} could not connect to ${redactedURI}: ${reason}. ` +
        'Check the address, the credentials and that the server runs; the next call tries again.',
      { cause },
    );
  }
}

/** No connection of the process-wide budget came free in time. */
export class ConnectionBudgetError extends PolyMongoError {
  constructor(
    /** The database whose pool was to be opened. */
    readonly dbName: string,
    /** The option of that name: sockets of all pools together, at most. */
    readonly maxTotalConnections: number,
    /** Sockets that the open pools may take up, when the wait ended. */
    readonly usedConnections: number,
    /** How long the call waited, in ms: `waitQueueTimeoutMS`. */
    readonly waitedMS: number,
  ) {
    super(
      `No connections left for ${dbName}: ${usedConnections} of maxTotalConnections ${maxTotalConnections} are in use ` +
        `and none came free within ${waitedMS} ms. Raise maxTotalConnections, lower maxConnections per database, ` +
        'or close long-lived cursors and streams.',
    );
  }
}

/** The wrapper (or the application around it) is closing or closed; nothing new starts. */
export class PolyMongoClosedError extends PolyMongoError {
  constructor(
    /** The database that the call was for; undefined where it was for none. */
    readonly dbName?: string,
  ) {
    super(
      `PolyMongo is shutting down${dbName === undefined ? '' : ` and takes no new calls for ${dbName}`}. ` +
        'closeAll() is final: create a new PolyMongoWrapper (or application) to connect again.',
    );
  }
}

/** A pool was closed by force while a cursor of it was still being read. */
export class PoolForceClosedError extends PolyMongoError {
  constructor(
    /** The database whose cursor it was. */
    readonly dbName: string,
  ) {
    super(`The connection pool of ${dbName} was closed by force while this cursor was open; its result is incomplete.`);
  }
}

/** A call waited for a socket of its pool for `waitQueueTimeoutMS`. */
export class PoolQueueTimeoutError extends PolyMongoError {
  /** How long the call waited, in ms: `waitQueueTimeoutMS`. */
  readonly waitedMS: number;
  /** How many sockets the pool may have; all were in use. */
  readonly maxSockets: number;
  /** How many calls waited with it. */
  readonly waiting: number;

  constructor(
    /** The database that the pool is named after. */
    readonly poolName: string,
    { waitedMS, maxSockets, waiting }: { waitedMS: number; maxSockets: number; waiting: number },
  ) {
    super(
      `Timed out while waiting for a socket of the pool of ${poolName}: all ${maxSockets} were in use for ${waitedMS} ms, and ` +
        `${waiting} calls waited. Make slow queries faster, bound them with tenant.maxInFlight and tenant.maxTimeMS, or raise ` +
        'maxPoolSize (maxConnections of a pool of its own) or waitQueueTimeoutMS.',
    );
    this.waitedMS = waitedMS;
    this.maxSockets = maxSockets;
    this.waiting = waiting;
  }
}

/** A pool was closed by force, or at the end of its time, while a call waited for one of its sockets. Nothing of it was sent. */
export class PoolClosedInQueueError extends PolyMongoError {
  constructor(
    /** The database that the pool is named after; of the primary pool the default database. */
    readonly poolName: string,
  ) {
    super(
      `The connection pool of ${poolName} was closed while this call waited for a socket of it; nothing was sent. During a ` +
        'shutdown nothing new starts; else the next call opens the pool again.',
    );
  }
}

/** A database's new configuration could not take effect yet, because work that runs on its pool did not end in time. */
export class ReconfigurationPendingError extends PolyMongoError {
  constructor(
    /** The database that `connectDB()` was called for. */
    readonly dbName: string,
    /** Operations, cursors, streams, transactions and tasks that still run on the old pool. */
    readonly leaseCount: number,
    /** How long it waited for them, in ms: `shutdownTimeoutMS`. */
    readonly waitedMS: number,
  ) {
    super(
      `${dbName} still has ${leaseCount} operations, cursors, streams or transactions running after ${waitedMS} ms. ` +
        'Its new configuration takes effect when they have ended; until then the old pool serves. Close what is open ' +
        'and call connectDB() again to wait for it.',
    );
  }
}

/** A state change that the table of pool states does not allow; a bug in this package, never in yours. */
export class IllegalPoolTransitionError extends PolyMongoError {
  constructor(
    /** The database that the pool is named after. */
    readonly dbName: string,
    /** The state that the pool is in. */
    readonly from: PoolState,
    /** The state that it was to go to. */
    readonly to: PoolState,
  ) {
    super(`Pool ${dbName} cannot go from ${from} to ${to}. Please report this with the log around it.`);
  }
}

/** The connection of a wrapped model was closed or opened by hand. */
export class ConnectionOwnershipError extends PolyMongoError {
  constructor(
    /** The database that the connection is to. */
    readonly dbName: string,
    method: string,
  ) {
    super(
      `connection.${method}() was called on ${dbName}, whose connection belongs to PolyMongo. ` +
        'Use actions.closeAll() to close, scale.connectDB() to open.',
    );
  }
}

const AUTHENTICATION_CODES: readonly unknown[] = [18, 8000];

function isAuthenticationError(error: unknown): boolean {
  return isCausedBy(
    error,
    (each) =>
      AUTHENTICATION_CODES.includes((each as { code?: unknown }).code) ||
      /authentication failed|auth failed/i.test(each.message),
  );
}

/** An aggregation or operation of a tenant's database names another database. */
export class OtherDatabaseError extends PolyMongoError {
  constructor(
    /** Or the operation, where its options name the database. */
    readonly stage: string,
    /** The database that the call runs on. */
    readonly dbName: string,
    /** The database that was named. */
    readonly otherDBName: string,
  ) {
    super(
      `${stage} into or from the database ${otherDBName} is refused: ${dbName} is a tenant's, whose operations stay in it. ` +
        'If tenants may reach other databases, set tenant.allowCrossDatabase.',
    );
  }
}
