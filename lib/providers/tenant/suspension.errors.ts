import { PolyMongoError } from '../../polymongo.errors.js';
import { sayWhenToRetry, TenantError } from './tenant.errors.js';

/** The tenant is suspended: `tenants.suspend`. HTTP clients get 503 with `Retry-After`, or 403: `tenant.suspension.status`. */
export class TenantSuspendedError extends TenantError {
  constructor(
    status: 403 | 503,
    /** When the client may come again, in ms; with 503 only. */
    readonly retryAfterMS: number | undefined,
    /** When the tenant was suspended. */
    readonly since: Date,
    /** What `suspend` was told. It is in no answer. */
    readonly reason: string | undefined,
  ) {
    super(
      status === 503
        ? 'This tenant is suspended for now. Try again later.'
        : 'This tenant is suspended. Ask its owner.',
      status,
    );
    if (retryAfterMS !== undefined) sayWhenToRetry(this, retryAfterMS);
  }
}

/** A tenant's database is half of a clone or restore that has not ended: it is neither served as it is, nor copied. */
export class TenantUnfinishedError extends PolyMongoError {
  constructor(
    /** The tenant. */
    readonly tenantId: string,
    /** What has not ended. */
    readonly making: 'clone' | 'restore',
    options: ErrorOptions = {},
  ) {
    super(
      `The ${making} of tenant ${tenantId} has not ended. Run it again, which goes on or begins anew, or deprovision the tenant.`,
      options,
    );
  }
}

/** A tenant was to be suspended, and this process does not look for suspended tenants. */
export class SuspensionOffError extends PolyMongoError {
  constructor(
    /** The tenant that was to be suspended. */
    readonly tenantId: string,
  ) {
    super(
      `Tenant ${tenantId} was not suspended: nothing here looks for suspended tenants. Set tenant.suspension in the options ` +
        'of every process that serves tenants; {} takes the defaults.',
    );
  }
}
