import {
  ContextIdFactory,
  type ContextId,
  type ContextIdResolver,
  type ContextIdResolverFn,
  type ContextIdStrategy,
  type HostComponentInfo,
} from '@nestjs/core';
import type { TenantContext } from './tenant.context.js';

/**
 * Makes Nest's durable providers one per tenant instead of one per request:
 * `ContextIdFactory.apply(new TenantContextIdStrategy(app.get(TenantContext)))`, before the application listens. With several
 * roots, one for each combination of their tenants, and one per request while one of them is to be decided.
 */
export class TenantContextIdStrategy implements ContextIdStrategy {
  readonly #context: TenantContext;
  readonly #trees = new Map<string, ContextId>();
  readonly #maxTenants: number;

  /** @param options `maxTenants`: of how many tenants the providers are kept, the last ones used. Default 1000 */
  constructor(context: TenantContext, { maxTenants = 1000 }: { maxTenants?: number } = {}) {
    this.#context = context;
    this.#maxTenants = maxTenants;
  }

  /** For Nest, once a request: which durable providers serve it. */
  attach(contextId: ContextId): ContextIdResolver | ContextIdResolverFn {
    const tenantId = this.#context.scope?.tenantId;
    const tenants = this.#tenants();
    if (tenantId === undefined || tenants === undefined) return () => contextId;
    const tree = this.#treeOf(tenants);
    return {
      resolve: (info: HostComponentInfo) => (info.isTreeDurable ? tree : contextId),
      payload: { tenantId },
    };
  }

  /** The tenants of all roots of the application; undefined when one that finds them has none, or none yet. */
  #tenants(): string | undefined {
    const tenants: (string | null)[] = [];
    for (const { scope, isResolving } of this.#context.ofApplication) {
      if (isResolving && scope?.tenantId === undefined) return undefined;
      tenants.push(scope?.tenantId ?? null);
    }
    return JSON.stringify(tenants);
  }

  #treeOf(tenants: string): ContextId {
    const tree = this.#trees.get(tenants) ?? ContextIdFactory.create();
    this.#trees.delete(tenants);
    this.#trees.set(tenants, tree);
    if (this.#trees.size > this.#maxTenants) this.#trees.delete(this.#trees.keys().next().value!);
    return tree;
  }
}
