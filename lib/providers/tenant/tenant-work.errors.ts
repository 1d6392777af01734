import { messageOf, PolyMongoError } from '../../polymongo.errors.js';

/** `TenantGuard` stands before the guard that finds out who is asking, or behind one that asks for the tenant. */
export class TenantGuardOrderError extends PolyMongoError {
  /**
   * @param guard the guard on the wrong side of `TenantGuard`
   * @param order the names of the call's guards as they should be
   */
  constructor(
    /** The class name of the guard that is on the wrong side of `TenantGuard`. */
    readonly guard: string,
    /** The class names of the call's guards, in the order that they should have. */
    readonly order: readonly string[],
    isBehind: boolean,
    cause?: unknown,
  ) {
    super(
      (isBehind
        ? `TenantGuard comes before ${guard}, which has found out who is asking: it decided without that. `
        : `${guard} asks for the tenant, and TenantGuard comes only after it. `) +
        `The right order is @UseGuards(${order.join(', ')}). Global guards come first, then the controller's, then the route's.`,
      { cause },
    );
  }
}

/** A tenant's cluster was needed at once, before `tenant.connection` has said which it is. */
export class TenantNotReadyError extends PolyMongoError {
  constructor(
    /** The database of the tenant. */
    readonly dbName: string,
  ) {
    super(
      `The cluster of ${dbName} is not known yet: tenant.connection() has not been asked for it. Cursors and the raw ` +
        'client need it at once. Enter the tenant with `await tenants.run(id, fn)`, which asks first.',
    );
  }
}

/** A function of the application that is asked about a tenant. */
export type TenantLookup = 'exists' | 'connection';

/** A function of the application, asked about a tenant, gave no answer that counts. Nobody is let in by it. */
export class TenantLookupError extends PolyMongoError {
  constructor(
    /** Which function it was: `exists` or `connection` of the tenant options. */
    readonly lookup: TenantLookup,
    /** What it did, as in `did not answer within 10000 ms`. */
    readonly reason: string,
  ) {
    super(
      `tenant.${lookup}() ${reason}. ` +
        (lookup === 'exists'
          ? 'Have it give true or false, as in `(await Shop.exists({ id })) !== null`, and in time.'
          : 'Have it give the connection, or undefined, in time.'),
    );
  }
}

/** `deprovision` was called without the tenant's id as its confirmation. */
export class TenantConfirmationError extends PolyMongoError {
  constructor(
    /** The tenant that was to be deprovisioned. */
    readonly tenantId: string,
  ) {
    super(
      `Deprovisioning drops every document of tenant ${tenantId}. Confirm it with deprovision('${tenantId}', { confirm: '${tenantId}' }).`,
    );
  }
}

/** Another process is provisioning or deprovisioning the tenant, and did not end in time. */
export class TenantBusyError extends PolyMongoError {
  constructor(
    /** The tenant that another process works on. */
    readonly tenantId: string,
    /** How long it was waited for, in ms: `timeoutMS`. */
    readonly waitedMS: number,
  ) {
    super(
      `Tenant ${tenantId} is being provisioned or deprovisioned by another process; waited ${waitedMS} ms. Try again later.`,
    );
  }
}

/** A tenant cannot be dropped yet: a process still works for it. It is locked out, and nothing is lost. */
export class TenantInUseError extends PolyMongoError {
  constructor(
    /** The tenant that is locked out, with all its documents. */
    readonly tenantId: string,
    /** How many processes still had work for it. */
    readonly processes: number,
    /** How long they were waited for, in ms: `timeoutMS`. */
    readonly waitedMS: number,
  ) {
    super(
      `Tenant ${tenantId} is locked out but was not dropped: after ${waitedMS} ms ${processes} process(es) had work for it that ` +
        'had not ended. Deprovision it again, with a longer timeoutMS if such work takes long.',
    );
  }
}

/** Tenants that were provisioned share databases. Nothing is stopped by it; none of them can be provisioned or deprovisioned. */
export class TenantDuplicatesError extends PolyMongoError {
  /** @param tenants the ids that share a database, by its name */
  constructor(
    /** The ids that share a database, by the database's name. */
    readonly tenants: ReadonlyMap<string, readonly string[]>,
  ) {
    super(
      `Tenants share a database: ${[...tenants].map(([db, ids]) => `${ids.join(', ')} share ${db}`).join('; ')}. Give all but ` +
        'one another name in tenant.database() or another id, and take their records out of polymongo_tenants.',
    );
  }
}

/** A tenant was to be provisioned on one cluster, and is on another. */
export class TenantPlacedError extends PolyMongoError {
  constructor(
    /** The tenant that was to be provisioned. */
    readonly tenantId: string,
    /** The name of the cluster that it is on; undefined: where `tenant.connection` has it. */
    readonly cluster: string | undefined,
  ) {
    super(
      `Tenant ${tenantId} is on ${cluster === undefined ? 'the cluster that the options say' : `the cluster "${cluster}"`} already. ` +
        'Provision it without a cluster, which leaves it there.',
    );
  }
}

/** A process that serves tenants does not reach a cluster, so nobody is moved there. */
export class ClusterUnreachableError extends PolyMongoError {
  constructor(
    /** The name of the cluster. */
    readonly cluster: string,
    /** How many processes do not reach it. */
    readonly processes: number,
    /** Why, as one of them says. */
    readonly reason: string,
  ) {
    super(
      `${processes} process(es) that serve tenants do not reach the cluster "${cluster}": ${reason}. Give all of them this name under ` +
        '`clusters` and a way to it, then try again.',
    );
  }
}

/** A tenant was to be dropped, or its database made, while it is being moved. */
export class TenantMovingError extends PolyMongoError {
  constructor(
    /** The tenant that is being moved. */
    readonly tenantId: string,
    /** How far its move is. */
    readonly phase: string,
  ) {
    super(
      `Tenant ${tenantId} is being moved (${phase}). End that first: tenants.confirm('${tenantId}') or tenants.rollback('${tenantId}').`,
    );
  }
}

/** A tenant that is being removed was to be provisioned. */
export class TenantRemovalError extends PolyMongoError {
  constructor(
    /** The tenant that was to be provisioned. */
    readonly tenantId: string,
  ) {
    super(
      `Tenant ${tenantId} is being removed and cannot be provisioned. Wait until its deprovisioning has ended; if the process ` +
        'that did it is gone, deprovision it again first.',
    );
  }
}

/**
 * Another process has taken over the tenant that this one was provisioning or deprovisioning, because this one had not
 * been heard of for 30 s (it was suspended, or cut off from the server).
 */
export class TenantTakenOverError extends PolyMongoError {
  constructor(
    /** The tenant that another process works on now. */
    readonly tenantId: string,
  ) {
    super(
      `Tenant ${tenantId} was taken over by another process: this one had not been heard of for too long, and did not finish. Do it again to be certain of its state.`,
    );
  }
}

/** The work of `tenants.forEach` failed for a tenant, and was to stop there. `cause` is its error. */
export class TenantTaskError extends PolyMongoError {
  constructor(
    /** The tenant that it failed for. */
    readonly tenantId: string,
    /** How many tenants were done before, well or not. */
    readonly finished: number,
    /** How many tenants there were to do. */
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

/**
 * A job cannot run as its tenant: it names none, a malformed one, or one that does not exist (any more). `cause` is the
 * TenantError that says which. Its `name` is what BullMQ knows, in every version and process, what it must not try again by.
 * @see https://docs.bullmq.io/patterns/stop-retrying-jobs
 */
export class TenantJobError extends PolyMongoError {
  /** What BullMQ reads: a job that fails with this name is not tried again. */
  override readonly name: string = 'UnrecoverableError';

  constructor(
    /** The job's id, where it has one. */
    readonly jobId: string | undefined,
    /** The name of the queue that the job is in. */
    readonly queue: string | undefined,
    cause: unknown,
  ) {
    super(`The job was not run, and is not tried again. ${messageOf(cause)}`, { cause });
  }
}

/** Migrations are asked for, and none were registered. */
export class MigrationsMissingError extends PolyMongoError {
  constructor() {
    super(
      'There are no migrations here: import PolyMongoMigrationsModule.forRoot({ directory }) beside PolyMongoModule.',
    );
  }
}
