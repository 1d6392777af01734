import { inBackground } from '../pools/background.work.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { keptProgress } from '../sessions/subscriber.listener.js';
import type { TenantDatabases } from './tenant.databases.js';
import {
  checkForEachOptions,
  fanOut,
  type ForEachOptions,
  type TenantResult,
  type TenantTask,
} from './tenant.fan-out.js';
import { TenantSeats } from './tenant.seats.js';

/** Which tenants are visited, and how one is let in. */
export interface VisitTerms {
  /** Where the options name none. */
  tenants(): Promise<string[]>;
  /** Resolves when a tenant is known, and where it is. */
  admit(tenantId: string): Promise<void>;
}

/** Work on many tenants, as many at a time as the sockets are enough for. */
export class TenantVisits {
  constructor(
    private readonly pools: PolyMongoPools,
    private readonly databases: TenantDatabases,
  ) {}

  /** @throws PolyMongoOptionsError at once */
  begin<T>(
    task: TenantTask<T>,
    options: ForEachOptions,
    terms: VisitTerms,
  ): AsyncGenerator<TenantResult<T>, void, undefined> {
    checkForEachOptions(options);
    const { onProgress } = options;
    const { events, options: root } = this.pools;
    const kept = { ...options, ...(onProgress && { onProgress: keptProgress(events, root.defaultDB, onProgress) }) };
    return this.#visit(task, kept, terms);
  }

  async *#visit<T>(
    task: TenantTask<T>,
    options: ForEachOptions,
    terms: VisitTerms,
  ): AsyncGenerator<TenantResult<T>, void, undefined> {
    options.signal?.throwIfAborted();
    const tenants = [...new Set(options.tenants ?? (await terms.tenants()))];
    const { budget, primary } = this.pools;
    const seats = new TenantSeats(budget.max - primary.config.maxConnections);
    const visit: TenantTask<T> = async (tenantId, context) => {
      await terms.admit(tenantId); // its pool is known then
      const size = this.#ownSocketsOf(tenantId);
      await seats.take(size);
      try {
        context.signal.throwIfAborted();
        return await inBackground(() => task(tenantId, context));
      } finally {
        seats.give(size);
      }
    };
    yield* fanOut(tenants, visit, options);
  }

  /** The sockets of a tenant's own pool; none when it is on the primary one. */
  #ownSocketsOf(tenantId: string): number {
    const pool = this.pools.poolOf(this.databases.of(tenantId));
    return pool === this.pools.primary ? 0 : pool.config.maxConnections;
  }
}
