import { checks, describeValue, type Check, type Checks } from './polymongo.checks.js';
import { PolyMongoOptionsError } from './polymongo.errors.js';

/** One number for all tenants, or a function of a tenant's id that gives its own; it is asked when the tenant is first used. */
export type TenantLimit = number | ((tenantId: string) => number);

/** How much of what all share one tenant may have. */
export interface TenantLimits {
  /**
   * Commands of a tenant that are under way at once in this process; its further calls wait, whether its pool has free
   * sockets or not. Calls inside a transaction go on. Default: as many as there are sockets.
   */
  maxInFlight?: TenantLimit;
  /**
   * Calls of a tenant that wait for their turn; further ones are refused with a TenantOverloadedError (503). What goes on
   * with a cursor or transaction is not. Default: any number, each up to `waitQueueTimeoutMS`.
   */
  maxWaiting?: TenantLimit;
  /**
   * How many waiting calls of a tenant are served in a row when it is its turn. Default 1: as many as of any other.
   */
  weight?: TenantLimit;
  /**
   * The `maxTimeMS` of a tenant's reads and writes that name none, in ms: the server ends those that take longer. Default:
   * none. Change streams, bulk tasks and making indexes are without it.
   */
  maxTimeMS?: TenantLimit;
}

/** What holds for one tenant. */
export interface LimitsOfTenant {
  readonly maxInFlight: number;
  readonly maxWaiting: number;
  readonly weight: number;
  readonly maxTimeMS: number | undefined;
}

const limit = ({ allowed, accepts }: Check): Check => ({
  allowed: `${allowed}, or a function of the tenant's id that gives one`,
  accepts: (v) => typeof v === 'function' || accepts(v),
});

const LIMITS = {
  maxInFlight: checks.positiveInteger,
  maxWaiting: checks.count,
  weight: checks.positiveInteger,
  maxTimeMS: checks.positiveInteger,
} as const satisfies Checks<TenantLimits>;

export const TENANT_LIMIT_CHECKS: Checks<TenantLimits> = {
  maxInFlight: limit(LIMITS.maxInFlight),
  maxWaiting: limit(LIMITS.maxWaiting),
  weight: limit(LIMITS.weight),
  maxTimeMS: limit(LIMITS.maxTimeMS),
};

/** @throws PolyMongoOptionsError when a function gives what is none */
export function limitsOf(options: TenantLimits, tenantId: string): LimitsOfTenant {
  const valueOf = (name: keyof TenantLimits): number | undefined => {
    const given = options[name];
    if (typeof given !== 'function') return given;
    const value = given(tenantId);
    const { allowed, accepts } = LIMITS[name];
    if (accepts(value)) return value;
    throw new PolyMongoOptionsError(
      `tenant.${name}`,
      `tenant.${name}() must give ${allowed}, not ${describeValue(value)}.`,
    );
  };
  return {
    maxInFlight: valueOf('maxInFlight') ?? Infinity,
    maxWaiting: valueOf('maxWaiting') ?? Infinity,
    weight: valueOf('weight') ?? 1,
    maxTimeMS: valueOf('maxTimeMS'),
  };
}
