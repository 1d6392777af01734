import { checks, type Checks } from './polymongo.checks.js';

/** The part of an HTTP request that resolvers look at; Express's and Fastify's requests both have it. */
export interface TenantRequest {
  headers: Record<string, string | string[] | undefined>;
  hostname?: string;
  url?: string;
  params?: unknown;
}

/** Finds the tenant of a request: its id, or undefined when the request names none. */
export type TenantResolver<R = TenantRequest> = (request: R) => string | undefined | Promise<string | undefined>;

/** How tenants are found and where their documents are. */
export interface TenantOptions {
  /** Finds the tenant of each HTTP request; several are asked in order. Without it only `TenantContext.run` sets one. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a resolver names its own request type
  resolve?: TenantResolver<any> | readonly TenantResolver<any>[];
  /** The name of a tenant's database. Default `tenant_<id>`. */
  database?: (tenantId: string) => string;
  /** What a tenant id looks like. Default `^[a-z0-9][a-z0-9_-]{0,55}$`. */
  pattern?: RegExp;
}

/** The tenant options with their defaults. */
export type ResolvedTenantOptions = Readonly<Required<Omit<TenantOptions, 'resolve'>>> & {
  readonly resolve: readonly TenantResolver[];
};

export const TENANT_CHECKS: Checks<TenantOptions> = {
  resolve: {
    allowed: "a function of the request, a ready resolver such as fromHeader('x-tenant-id'), or an array of them",
    accepts: (v) => [v].flat().every((each) => typeof each === 'function'),
  },
  database: checks.function,
  pattern: { allowed: 'a regular expression', accepts: (v) => v instanceof RegExp },
};

export const resolveTenantOptions = (tenant: TenantOptions = {}): ResolvedTenantOptions =>
  Object.freeze({
    resolve: Object.freeze([tenant.resolve ?? []].flat()) as readonly TenantResolver[],
    database: tenant.database ?? ((tenantId: string) => `tenant_${tenantId}`),
    pattern: tenant.pattern ?? /^[a-z0-9][a-z0-9_-]{0,55}$/,
  });
