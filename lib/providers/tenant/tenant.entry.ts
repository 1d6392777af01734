import type { TenantRequest, TenantResolverOption } from '../../polymongo.tenant-options.js';
import type { TenantContext, TenantScope } from './tenant.context.js';
import type { TenantDirectory } from './tenant.directory.js';
import { isPromise, TenantResolution } from './tenant.resolution.js';

type Next = (error?: unknown) => void;

/**
 * Lets each HTTP request in as its tenant, or as none; asks and waits only where something is not known yet. Every
 * request gets a scope of its own, so that none inherits the tenant of the code that started the server.
 */
export class TenantEntry {
  readonly resolution: TenantResolution;

  constructor(
    readonly context: TenantContext,
    readonly directory: TenantDirectory,
    resolvers: readonly TenantResolverOption[],
  ) {
    this.resolution = new TenantResolution(resolvers, context);
  }

  /** @param next called in the request's scope, or with an error outside of any */
  enter(request: TenantRequest, next: Next): void {
    try {
      const found = this.resolution.beforeGuards(request);
      if (isPromise(found)) found.then((tenantId) => this.#admit(tenantId, next)).catch(next);
      else this.#admit(found, next);
    } catch (error) {
      next(error);
    }
  }

  #admit(tenantId: string | undefined, next: Next): void {
    const admission = tenantId === undefined ? undefined : this.directory.admit(tenantId);
    if (admission) admission.then(() => this.#proceed(tenantId, next), next);
    else this.#proceed(tenantId, next);
  }

  #proceed(tenantId: string | undefined, next: Next): void {
    const scope = { tenantId, isPending: this.resolution.hasAfterGuards, isRequest: true };
    this.context.within(scope, next);
  }
}

/** On a request of Fastify: its scope, for what serves it in a context that has lost it. */
const SCOPE = Symbol('polymongo.scope');
type ScopedRequest = TenantRequest & { [SCOPE]?: TenantScope | undefined };

/** What of Fastify's instance this touches. */
interface FastifyHooks {
  addHook(
    name: 'onRequest' | 'preValidation',
    hook: (request: TenantRequest, reply: unknown, done: Next) => void,
  ): unknown;
}

/** What of Nest's HTTP adapter this touches. */
export interface HttpAdapter {
  getType(): string;
  getInstance(): unknown;
  use(handler: (request: TenantRequest, response: unknown, next: Next) => void): unknown;
}

/**
 * Puts the entry before everything that Nest routes: on Express as middleware, on Fastify as a hook, which is faster
 * than Nest's middleware there.
 */
export function enterWithEachRequest(adapter: HttpAdapter, entry: TenantEntry): void {
  if (adapter.getType() !== 'fastify') {
    adapter.use((request, _response, next) => entry.enter(request, next));
    return;
  }
  const { context } = entry;
  const fastify = adapter.getInstance() as FastifyHooks;
  fastify.addHook('onRequest', (request: ScopedRequest, _reply, done) =>
    entry.enter(request, (error) => {
      request[SCOPE] = context.scope;
      done(error);
    }),
  );
  // A body is read in the context of its socket, which is no tenant's.
  fastify.addHook('preValidation', (request: ScopedRequest, _reply, done) => {
    const scope = request[SCOPE];
    if (scope === undefined || context.scope === scope) done();
    else context.within(scope, done);
  });
}
