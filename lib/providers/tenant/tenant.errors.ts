import { HttpException } from '@nestjs/common';
import { markAsPolyMongoError, messageOf } from '../../polymongo.errors.js';

const DESCRIPTIONS = { 400: 'Bad Request', 403: 'Forbidden', 404: 'Not Found', 503: 'Service Unavailable' } as const;

/**
 * A tenant is missing, malformed or not to be had: what a client did wrong, so an HttpException, which Nest and filters
 * of the application's own answer with its status and log no stack of. It is a PolyMongoError, too.
 */
export class TenantError extends HttpException {
  /** The HTTP status that it is answered with: 400, 403, 404 or 503. */
  readonly statusCode: 400 | 403 | 404 | 503;

  constructor(message: string, status: 400 | 403 | 404 | 503, options: ErrorOptions = {}) {
    super(HttpException.createBody(message, DESCRIPTIONS[status], status), status, options);
    this.statusCode = status;
  }

  /** What GraphQL answers with beside the message. */
  get extensions(): { readonly statusCode: number } {
    return { statusCode: this.statusCode };
  }
}
markAsPolyMongoError(TenantError);

/** Something that needs a tenant was used where there is none. */
export class TenantMissingError extends TenantError {
  constructor(
    message = 'No tenant: this needs a current tenant and the request names none. Send the tenant as the application expects it, ' +
      'or run the code inside TenantContext.run(tenantId, fn).',
  ) {
    super(message, 400);
  }
}

/** The tenant was asked for while it is still to be decided: before or in the guards, where resolvers run after them. */
export class TenantPendingError extends TenantMissingError {
  constructor() {
    super(
      'No tenant yet: the tenant of this request is decided after its guards. Ask for it from the interceptors on; for a ' +
        "guard that needs it put TenantGuard before that, as in @UseGuards(AuthGuard('jwt'), TenantGuard, RolesGuard); or " +
        'read TenantContext.state, which is there always.',
    );
  }
}

/** A tenant id that does not match the pattern, or makes no database name. The id itself is not repeated: it may be hostile. */
export class InvalidTenantIdError extends TenantError {
  constructor(
    /** What ids have to match, as text: `tenant.pattern`. */
    readonly pattern: string,
    options: ErrorOptions = {},
  ) {
    super(
      options.cause === undefined
        ? `Invalid tenant id: it must be a string that matches ${pattern}.`
        : `Invalid tenant id: it matches ${pattern}, but its database could not be named so: ${messageOf(options.cause)}.`,
      400,
      options,
    );
  }
}

/** Two tenant ids have the same database: they differ in case only, say, or `tenant.database` cuts them off. */
export class TenantDatabaseTakenError extends TenantError {
  constructor(
    /** The database that both ids lead to. */
    readonly database: string,
  ) {
    super(
      'Another tenant has the database of this tenant id. If both are tenants of yours, have tenant.database() give each a ' +
        'name of its own, in lower case.',
      400,
    );
  }
}

/** A well-formed id that `tenant.exists` does not know, or that was never provisioned. */
export class TenantUnknownError extends TenantError {
  constructor() {
    super('Unknown tenant: no tenant of this id exists. Provision it first, or check the id.', 404);
  }
}

/** The registry says that a tenant is on a cluster whose name this process does not know. Others may: HTTP clients get 503. */
export class TenantClusterUnknownError extends TenantError {
  constructor(
    /** The name that the registry has. */
    readonly cluster: string,
  ) {
    super(
      `This tenant is on the cluster "${cluster}", which is not among the options here. Name it under \`clusters\` in every process.`,
      503,
    );
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

/** The target of a request is written in a way in which a router may read another path than a resolver does. */
export class AmbiguousPathError extends TenantError {
  constructor() {
    super(
      'Ambiguous path: this request has a "#", a "\\" or an address in its target. Send an absolute path and a query only.',
      400,
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

/** On the body of an answer: after how many seconds the client may try again. Shared by the ESM and CommonJS builds. */
export const RETRY_AFTER: unique symbol = Symbol.for('polymongo.retryAfter') as never;

/** Has answers with an error say when the client may try again. */
export const sayWhenToRetry = (error: TenantError, retryAfterMS: number): void =>
  void Object.defineProperty(error.getResponse(), RETRY_AFTER, { value: Math.ceil(retryAfterMS / 1_000) });

/**
 * A tenant's documents are those of other code than this: 503, with `Retry-After`.
 * Nobody has done anything wrong.
 */
export class TenantOutOfStepError extends TenantError {
  constructor(
    message: string,
    /** When to come again, in ms. */
    readonly retryAfterMS: number,
    options: ErrorOptions = {},
  ) {
    super(message, 503, options);
    sayWhenToRetry(this, retryAfterMS);
  }
}

/** Some of this code's migrations have not run for the tenant, and it is not served without. `cause`: why they failed here. */
export class TenantBehindError extends TenantOutOfStepError {
  constructor(retryAfterMS: number, options: ErrorOptions = {}) {
    super('This tenant is being brought up to date. Try again later.', retryAfterMS, options);
  }
}

/** Migrations of later code have run for the tenant, and this code does not serve it. */
export class TenantAheadError extends TenantOutOfStepError {
  constructor(retryAfterMS: number) {
    super('This tenant is served by a later version. Try again later.', retryAfterMS);
  }
}

/** As many calls of the tenant wait for a socket as `tenant.maxWaiting` allows. HTTP clients get 503 with `Retry-After`. */
export class TenantOverloadedError extends TenantError {
  /** When the client may try again. */
  readonly retryAfterMS = 1_000;

  constructor(
    /** How many calls of the tenant waited. */
    readonly waiting: number,
  ) {
    super(
      `Too many calls of this tenant at once: ${waiting} wait for the database already. Try again in a second, with fewer at a time.`,
      503,
    );
    sayWhenToRetry(this, this.retryAfterMS);
  }
}
