import type { ExecutionContext, Type } from '@nestjs/common';
import type { Connection } from 'mongoose';
import { checks, type Checks } from './polymongo.checks.js';
import { PolyMongoOptionsError } from './polymongo.errors.js';
import type { ScaleOptions } from './polymongo.pool-options.js';
import {
  resolveSuspension,
  type ResolvedSuspensionOptions,
  type SuspensionOptions,
} from './polymongo.suspension-options.js';
import { TENANT_LIMIT_CHECKS, type TenantLimits } from './polymongo.tenant-limits.js';

/**
 * What resolvers look at: the request of Express or Fastify; of a WebSocket message its handshake; of a microservice
 * message its headers (gRPC's metadata, those of Kafka, NATS and RabbitMQ, the user properties of MQTT 5; else none), and
 * its payload as `data`; of a GraphQL subscription the request that opened its WebSocket, with what `connection_init` brought as `data`.
 */
export interface TenantRequest {
  /** By name in lower case, as Node gives them. */
  headers: Record<string, string | string[] | undefined>;
  /** Names and values in turn, as they came, which shows a header that was sent twice. */
  rawHeaders?: readonly string[];
  /** Node's request inside of Fastify's. */
  raw?: { readonly rawHeaders: readonly string[] };
  /** The host without its port, as the HTTP adapter trusts it (Express `trust proxy`, Fastify `trustProxy`). */
  hostname?: string;
  /** The target of the request, path and query; of Express within the router that is asked. */
  url?: string;
  /** The target as it came. */
  originalUrl?: string;
  /** Of the matched route, where resolvers run after it is: `afterGuards()`. */
  params?: unknown;
  /** What an authentication guard left there, verified. */
  user?: unknown;
  /** The payload of a WebSocket or microservice message. */
  data?: unknown;
}

/**
 * Finds the tenant of a request: its id, or undefined when the request names none. Nest's execution context is there
 * only for those that run after the guards, and for WebSocket and microservice messages.
 */
export interface TenantResolver<R = TenantRequest> {
  /** Gives the tenant's id, or undefined where the request names none; what it throws refuses the request. */
  (request: R, context?: ExecutionContext): string | undefined | Promise<string | undefined>;
  /** Asked after the guards, by `TenantInterceptor`; until then the request has no tenant. Set by `afterGuards()`. */
  readonly runsAfterGuards?: boolean;
}

/** What a resolver class makes. */
export interface TenantResolverProvider<R = TenantRequest> {
  /**
   * As {@link TenantResolver}: the tenant's id, or undefined when the request names none. What it throws refuses the
   * request.
   */
  resolve(request: R, context?: ExecutionContext): string | undefined | Promise<string | undefined>;
}

/* eslint-disable @typescript-eslint/no-explicit-any -- a resolver names its own request type */
/**
 * A resolver that is a class, with what it injects. A provider of this class is used; without one it is constructed.
 * `static runsAfterGuards = true` has it asked after the guards.
 */
export type TenantResolverClass = Type<TenantResolverProvider<any>> & { readonly runsAfterGuards?: boolean };

/** What `tenant.resolve` takes: a function or a class. */
export type TenantResolverOption = TenantResolver<any> | TenantResolverClass;
/* eslint-enable @typescript-eslint/no-explicit-any */

/** Where a tenant's database is: a pool of its own, on the primary cluster when there is no `mongoURI`. */
export interface TenantConnection {
  /** The tenant's cluster. Default: the primary `mongoURI`. */
  mongoURI?: string;
  /** How its pool is, as in `dbSpecific`. */
  options?: Omit<ScaleOptions, 'mongoURI'>;
}

/** Work that has its tenant from now on. */
export interface EnteredTenant {
  /** The tenant's id. */
  readonly id: string;
  /**
   * What the work is: `'http'` (GraphQL over HTTP, too), `'graphql'` (a subscription), `'ws'` or `'rpc'` (one message), `'run'`
   * (`tenants.run`, `forEach`, `TenantContext.run`, `@WithTenant`, provisioning); of a library's own handlers their type in Nest.
   */
  readonly kind: 'http' | 'graphql' | 'ws' | 'rpc' | 'run' | (string & {});
  /** What the resolvers looked at; of a request or message only. */
  readonly request?: TenantRequest;
}

/** Calls `fn` in what it sets up, and gives back what that gives. */
export type TenantSurroundings = <T>(fn: () => T) => T;

/** How tenants are found and where their documents are. */
export interface TenantOptions extends TenantLimits {
  /**
   * Finds the tenant of each request. All of several are asked; the first that names one decides, and one that names
   * another is an error. Without it only `tenants.run` and `TenantContext.run` set a tenant.
   */
  resolve?: TenantResolverOption | readonly TenantResolverOption[];
  /**
   * Which of these resolvers decide on arrival although others run after the guards: what they look at is set by
   * something that you trust, such as a gateway that overwrites the header. Without it, a tenant that a request only
   * names (by a header, path, host name, cookie or query) is compared with what the guards found out, and decides nothing.
   */
  trust?: TenantResolverOption | readonly TenantResolverOption[];
  /**
   * The name of a tenant's database. Default `tenant_<id>`. With this or `pattern`, the registry is asked whether the
   * database is a provisioned tenant's with another id; `existsTTLMS` says how often.
   */
  database?: (tenantId: string) => string;
  /** What a tenant id looks like. Default `^[a-z0-9][a-z0-9_-]{0,55}$`. */
  pattern?: RegExp;
  /**
   * Says whether there is such a tenant; others are refused with 404 and get no database. `'provisioned'`: those that
   * `tenants.provision` made. Default: every well-formed id. An answer that is neither true nor false, or takes longer than
   * `waitQueueTimeoutMS`, is a TenantLookupError.
   */
  exists?: 'provisioned' | ((tenantId: string) => boolean | Promise<boolean>);
  /** How long a yes of `exists` counts, in ms; a no counts for a second at most. Default 60000. */
  existsTTLMS?: number;
  /**
   * Gives a tenant the pool of its own, for tenants on several clusters; undefined leaves it on the primary pool. Asked
   * once a tenant, and again after it failed or its pool could not connect. Default: all share the primary pool.
   * An answer that takes longer than `waitQueueTimeoutMS` is a TenantLookupError.
   */
  connection?: (tenantId: string) => TenantConnection | undefined | Promise<TenantConnection | undefined>;
  /** Fills a new tenant's database, as that tenant, once; again if the process died in the middle. */
  seed?: (tenantId: string, connection: Connection) => unknown;
  /**
   * Hears of each request, message and run that has its tenant from now on, once, at once and in it: for logs, traces and
   * whatever else has a context of its own. What it throws fails the work. It may give back a function in which the work
   * then runs, wherever that goes on, so perhaps several times and one inside the other.
   */
  onEnter?: (scope: EnteredTenant) => TenantSurroundings | undefined | void;
  /**
   * Aggregations of a tenant's models may name other databases: `$out` and `$merge` into them, `$lookup`, `$graphLookup` and
   * `$unionWith` from them where the server allows it. Default false: that is an OtherDatabaseError.
   */
  allowCrossDatabase?: boolean;
  /** Tenant models are those of the default database where no tenant is named. Default false: that is an error. */
  useDefaultDB?: boolean;
  /**
   * Has this process look for tenants that are suspended: `tenants.suspend`. `{}` takes the defaults. Default: nobody looks,
   * and no tenant can be suspended.
   */
  suspension?: SuspensionOptions;
  /**
   * Writes down when each provisioned tenant was last used, every so many ms, so that `tenants.find` and `tenants.stats`
   * know of all processes. Default: they know of their own process only.
   */
  recordUseEveryMS?: number;
}

type Optional = 'exists' | 'connection' | 'seed' | 'onEnter' | 'recordUseEveryMS' | keyof TenantLimits;

/** The tenant options with their defaults. */
export type ResolvedTenantOptions = Readonly<
  Required<Omit<TenantOptions, 'resolve' | 'trust' | 'suspension' | Optional>>
> &
  Readonly<Pick<TenantOptions, Optional>> & {
    readonly resolve: readonly TenantResolverOption[];
    readonly trust: readonly TenantResolverOption[];
    readonly suspension: ResolvedSuspensionOptions | undefined;
    /** Two ids may have the same database; never with the defaults. */
    readonly mayCollide: boolean;
  };

const RESOLVERS =
  "a function of the request, a ready resolver such as fromHeader('x-tenant-id'), a class, or an array of them";
const areResolvers = (v: unknown) => [v].flat().every((each) => typeof each === 'function');

export const TENANT_CHECKS: Checks<TenantOptions> = {
  resolve: { allowed: RESOLVERS, accepts: areResolvers },
  trust: {
    allowed: `one of the resolvers in tenant.resolve, the same object, or an array of them`,
    accepts: areResolvers,
  },
  database: checks.function,
  pattern: { allowed: 'a regular expression', accepts: (v) => v instanceof RegExp },
  exists: {
    allowed: "a function of the tenant's id, or 'provisioned'",
    accepts: (v) => typeof v === 'function' || v === 'provisioned',
  },
  existsTTLMS: checks.durationMS,
  connection: checks.function,
  seed: checks.function,
  onEnter: checks.function,
  allowCrossDatabase: checks.boolean,
  useDefaultDB: checks.boolean,
  suspension: checks.object,
  recordUseEveryMS: {
    allowed: 'a number of ms, at least 1000',
    accepts: (v) => checks.durationMS.accepts(v) && (v as number) >= 1_000,
  },
  ...TENANT_LIMIT_CHECKS,
};

/** @throws PolyMongoOptionsError */
export function resolveTenantOptions(tenant: TenantOptions = {}): ResolvedTenantOptions {
  const resolve = Object.freeze([tenant.resolve ?? []].flat()) as readonly TenantResolverOption[];
  const trust = Object.freeze([tenant.trust ?? []].flat()) as readonly TenantResolverOption[];
  if (!trust.every((trusted) => resolve.includes(trusted))) {
    throw new PolyMongoOptionsError(
      'tenant.trust',
      "tenant.trust names a resolver that is not in tenant.resolve. Make it once, as in const gateway = fromHeader('x-tenant-id'), " +
        'and use it in both.',
    );
  }
  return Object.freeze({
    ...tenant,
    resolve,
    trust,
    mayCollide: tenant.database !== undefined || tenant.pattern !== undefined,
    database: tenant.database ?? ((tenantId: string) => `tenant_${tenantId}`),
    pattern: tenant.pattern ?? /^[a-z0-9][a-z0-9_-]{0,55}$/,
    existsTTLMS: tenant.existsTTLMS ?? 60_000,
    allowCrossDatabase: tenant.allowCrossDatabase ?? false,
    useDefaultDB: tenant.useDefaultDB ?? false,
    suspension: tenant.suspension && resolveSuspension(tenant.suspension),
  });
}
