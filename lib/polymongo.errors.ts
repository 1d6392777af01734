export interface PolyMongoErrorOptions {
  cause?: unknown;
}

/** Root of every error this package throws. Tell them apart by `instanceof`, never by their text. */
export class PolyMongoError extends Error {
  constructor(message: string, options: PolyMongoErrorOptions = {}) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** An option is missing, of the wrong type or out of range. */
export class PolyMongoOptionsError extends PolyMongoError {
  constructor(
    readonly option: string,
    message: string,
  ) {
    super(message);
  }
}

/** A name that MongoDB does not accept for a database. */
export class InvalidDatabaseNameError extends PolyMongoError {
  constructor(readonly reason: string) {
    super(`Invalid database name: it ${reason}. Use 1 to 63 bytes without / \\ . " $ * < > : | ? space or NUL.`);
  }
}

/** A call was made with buffering off (`bufferCommands: false`) while its database was not connected yet. */
export class PoolInitializingError extends PolyMongoError {
  constructor(readonly dbName: string) {
    super(
      `Connection for ${dbName} is still initializing. It is not initialized until connectDB("${dbName}") resolves: ` +
        'await that first, or leave bufferCommands on so that calls wait.',
    );
  }
}

/** A pool could not be opened. `cause` is the driver's error. */
export class PoolConnectError extends PolyMongoError {
  constructor(
    readonly dbName: string,
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
    readonly dbName: string,
    readonly maxTotalConnections: number,
    readonly usedConnections: number,
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
  constructor(readonly dbName?: string) {
    super(
      `PolyMongo is shutting down${dbName === undefined ? '' : ` and takes no new calls for ${dbName}`}. ` +
        'closeAll() is final: create a new PolyMongoWrapper (or application) to connect again.',
    );
  }
}

/** A pool was closed by force while a cursor of it was still being read. */
export class PoolForceClosedError extends PolyMongoError {
  constructor(readonly dbName: string) {
    super(`The connection pool of ${dbName} was closed by force while this cursor was open; its result is incomplete.`);
  }
}

/** A database's new configuration could not take effect yet, because work that runs on its pool did not end in time. */
export class ReconfigurationPendingError extends PolyMongoError {
  constructor(
    readonly dbName: string,
    readonly leaseCount: number,
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
    readonly dbName: string,
    readonly from: string,
    readonly to: string,
  ) {
    super(`Pool ${dbName} cannot go from ${from} to ${to}. Please report this with the log around it.`);
  }
}

/** A session of one connection pool was used on another one. */
export class SessionMismatchError extends PolyMongoError {
  constructor(
    readonly sessionDb: string,
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

/** A transaction was asked for where its `propagation` does not allow one, or demands one. */
export class TransactionPropagationError extends PolyMongoError {
  constructor(
    readonly propagation: string,
    reason: string,
  ) {
    super(`transaction() with propagation '${propagation}' ${reason}`);
  }
}

/** A change stream cannot go on: the server does not keep the history any more that its resume token points to. */
export class ChangeStreamHistoryLostError extends PolyMongoError {
  constructor(
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

/** A subscriber takes longer for changes than they arrive, and its buffer is full. */
export class ChangeBufferOverflowError extends PolyMongoError {
  constructor(
    readonly source: string,
    readonly bufferSize: number,
  ) {
    super(
      `A subscriber of the change stream on ${source} is more than ${bufferSize} changes behind. Raise bufferSize, or ` +
        'take changes one at a time: watch$({ process }), for await (const change of watch$()), or @OnChange.',
    );
  }
}

/** A model name that was never registered. */
export class ModelNotRegisteredError extends PolyMongoError {
  constructor(
    readonly modelName: string,
    known: readonly string[],
  ) {
    super(
      `No model "${modelName}" is registered. Register it with PolyMongoModule.forFeature([{ name: '${modelName}', ` +
        `schema }]) or wrapper.wrapModel(model). Registered: ${known.join(', ') || 'none'}.`,
    );
  }
}

/** Two different schemas were registered under one model name. */
export class ModelAlreadyRegisteredError extends PolyMongoError {
  constructor(readonly modelName: string) {
    super(
      `A model "${modelName}" is already registered with another schema or collection. Give one of them another name.`,
    );
  }
}

/**
 * A tenant is missing, malformed or not to be had. Nest's default filter answers it with its status: `statusCode` is
 * what Nest 11 reads, `status` with `expose` what Nest 12 does.
 */
export class TenantError extends PolyMongoError {
  readonly expose = true;
  readonly statusCode: number;

  constructor(
    message: string,
    readonly status: 400 | 403 | 404,
    options: PolyMongoErrorOptions = {},
  ) {
    super(message, options);
    this.statusCode = status;
  }
}

/** Something that needs a tenant was used where there is none. */
export class TenantMissingError extends TenantError {
  constructor() {
    super(
      'No tenant: this needs a current tenant and the request names none. Send the tenant as the application expects it, ' +
        'or run the code inside TenantContext.run(tenantId, fn).',
      400,
    );
  }
}

/** A tenant id that does not match the pattern. The id itself is not repeated: it may be hostile. */
export class InvalidTenantIdError extends TenantError {
  constructor(readonly pattern: string) {
    super(`Invalid tenant id: it must be a string that matches ${pattern}.`, 400);
  }
}

/** A well-formed id that `tenant.exists` does not know, or that was never provisioned. */
export class TenantUnknownError extends TenantError {
  constructor() {
    super('Unknown tenant: no tenant of this id exists. Provision it first, or check the id.', 404);
  }
}

/** One request names two different tenants: one in its header, say, and another in its token. */
export class TenantConflictError extends TenantError {
  constructor() {
    super(
      'Conflicting tenants: this request names two different tenants. Name one, the one you are signed in to.',
      403,
    );
  }
}

/** Another tenant was to be entered where the current one cannot be left: inside its transaction. */
export class TenantSwitchError extends TenantError {
  constructor() {
    super(
      'Tenant switch refused: a transaction of another tenant is running here. End it before you enter another tenant.',
      403,
    );
  }
}

/** A tenant's cluster was needed at once, before `tenant.connection` has said which it is. */
export class TenantNotReadyError extends PolyMongoError {
  constructor(readonly dbName: string) {
    super(
      `The cluster of ${dbName} is not known yet: tenant.connection() has not been asked for it. Cursors and the raw ` +
        'client need it at once. Enter the tenant with `await tenants.run(id, fn)`, which asks first.',
    );
  }
}

/** `deprovision` was called without the tenant's id as its confirmation. */
export class TenantConfirmationError extends PolyMongoError {
  constructor(readonly tenantId: string) {
    super(
      `Deprovisioning drops every document of tenant ${tenantId}. Confirm it with deprovision('${tenantId}', { confirm: '${tenantId}' }).`,
    );
  }
}

/** Another process is provisioning or deprovisioning the tenant, and did not end in time. */
export class TenantBusyError extends PolyMongoError {
  constructor(
    readonly tenantId: string,
    readonly waitedMS: number,
  ) {
    super(
      `Tenant ${tenantId} is being provisioned or deprovisioned by another process; waited ${waitedMS} ms. Try again later.`,
    );
  }
}

/** The work of `tenants.forEach` failed for a tenant, and was to stop there. `cause` is its error. */
export class TenantTaskError extends PolyMongoError {
  constructor(
    readonly tenantId: string,
    readonly finished: number,
    readonly total: number,
    cause: unknown,
  ) {
    super(
      `Tenant ${tenantId} failed after ${finished} of ${total} tenants were done: ${messageOf(cause)}. ` +
        "Use { onError: 'collect' } to go on with the others.",
      { cause },
    );
  }
}

/** The connection of a wrapped model was closed or opened by hand. */
export class ConnectionOwnershipError extends PolyMongoError {
  constructor(
    readonly dbName: string,
    method: string,
  ) {
    super(
      `connection.${method}() was called on ${dbName}, whose connection belongs to PolyMongo. ` +
        'Use actions.closeAll() to close, scale.connectDB() to open.',
    );
  }
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');

const AUTHENTICATION_CODES: readonly unknown[] = [18, 8000];

function isAuthenticationError(error: unknown): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if (
      AUTHENTICATION_CODES.includes((e as { code?: unknown }).code) ||
      /authentication failed|auth failed/i.test(e.message)
    ) {
      return true;
    }
  }
  return false;
}
