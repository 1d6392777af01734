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
 * `ContextIdFactory.apply(new TenantContextIdStrategy(app.get(TenantContext)))`, before the application listens.
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
    if (tenantId === undefined) return () => contextId;
    const tree = this.#treeOf(tenantId);
    return {
      resolve: (info: HostComponentInfo) => (info.isTreeDurable ? tree : contextId),
      payload: { tenantId },
    };
  }

  #treeOf(tenantId: string): ContextId {
    const tree = this.#trees.get(tenantId) ?? ContextIdFactory.create();
    this.#trees.delete(tenantId);
    this.#trees.set(tenantId, tree);
    if (this.#trees.size > this.#maxTenants) this.#trees.delete(this.#trees.keys().next().value!);
    return tree;
  }
}
