import { isDeepStrictEqual } from 'node:util';
import type { TenantConnection } from '../../polymongo.tenant-options.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { hasNonce, poolsOf } from './cluster.pools.js';
import { LookupCache } from './lookup.cache.js';
import { answerOf } from './tenant.answers.js';
import { managerScope } from './tenant.context.js';
import type { TenantDatabases } from './tenant.databases.js';
import { TenantClusterUnknownError } from './tenant.errors.js';
import type { TenantRegistry } from './tenant.registry.js';

/** Where a tenant is: what the registry's record names, or else what `tenant.connection` says. */
interface Location {
  /** By its name in `clusters`. */
  readonly cluster: string | undefined;
  readonly connection: TenantConnection;
}

/** On which cluster each tenant is, and that its database has the pool for it. */
export class TenantLocations {
  readonly #located: LookupCache<true>;
  /** What each tenant's pool was last set up with. */
  readonly #set = new Map<string, Location>();
  /** How often it was said that what is known of a tenant, or of all, is so no more. */
  #forgotten = 0;

  /** @param asNoTenant runs the application's own functions, and what asks the registry */
  constructor(
    private readonly pools: PolyMongoPools,
    private readonly databases: TenantDatabases,
    private readonly registry: TenantRegistry,
    private readonly asNoTenant: <T>(fn: () => Promise<T>) => Promise<T>,
  ) {
    this.#located = new LookupCache((tenantId) => this.#locate(tenantId));
    if (!this.isOn) return;
    pools.events.on('poolState', ({ pool, from, to }) => {
      const tenantId = from === 'connecting' && to === 'closed' ? databases.tenantOf(pool) : undefined;
      if (tenantId !== undefined) this.forget(tenantId);
    });
  }

  /** Tenants may be elsewhere than on the primary cluster. */
  get isOn(): boolean {
    return this.databases.options.connection !== undefined || this.hasClusters;
  }

  isLocated(tenantId: string): boolean {
    return !this.isOn || this.#located.peek(tenantId) === true;
  }

  /** Its pool has been set up once, whether or not that still holds. */
  hasPool(tenantId: string): boolean {
    return !this.isOn || this.isLocated(tenantId) || this.#set.has(tenantId);
  }

  /** Resolves when the tenant's database has the pool of its cluster. @throws TenantClusterUnknownError; what `connection` throws */
  async locate(tenantId: string): Promise<void> {
    if (this.isOn) await this.#located.get(tenantId);
  }

  /** Has the next one ask again. */
  forget(tenantId: string): void {
    this.#forgotten++;
    this.#located.forget(tenantId);
  }

  forgetAll(): void {
    this.#forgotten++;
    this.#located.clear();
  }

  /** There is no such tenant any more. */
  drop(tenantId: string): void {
    this.#located.forget(tenantId);
    this.#set.delete(tenantId);
  }

  /** How a cluster is reached; without a name, the one that `tenant.connection` gives. @throws TenantClusterUnknownError */
  async connectionTo(cluster: string | undefined, tenantId: string): Promise<TenantConnection | undefined> {
    if (cluster !== undefined) {
      this.assertKnown(cluster);
      return this.pools.options.clusters[cluster];
    }
    const { connection } = this.databases.options;
    if (!connection) return undefined;
    return answerOf('connection', this.pools.options.waitQueueTimeoutMS, () => connection(tenantId));
  }

  /** @throws TenantClusterUnknownError */
  assertKnown(cluster: string | undefined): void {
    const { clusters } = this.pools.options;
    if (cluster !== undefined && !Object.hasOwn(clusters, cluster)) throw new TenantClusterUnknownError(cluster);
  }

  /** Whether a cluster is reached, by what somebody has written there. @throws TenantClusterUnknownError, PoolConnectError */
  async reach(cluster: string, database: string, nonce: string): Promise<boolean> {
    this.assertKnown(cluster);
    const pools = poolsOf(this.pools.options, this.pools.options.clusters[cluster], database);
    try {
      return await hasNonce(pools.database(database), nonce);
    } finally {
      await pools.forceCloseAll();
    }
  }

  /** Some tenant's place is known. */
  get isRemembering(): boolean {
    return this.hasClusters && this.#set.size > 0;
  }

  /** Some clusters have names. */
  get hasClusters(): boolean {
    return Object.keys(this.pools.options.clusters).length > 0;
  }

  #locate(tenantId: string): Promise<true> {
    return this.asNoTenant<true>(async () => {
      const before = this.#forgotten;
      const cluster = this.hasClusters ? (await this.registry.recordOf(tenantId))?.cluster : undefined;
      const given = await this.connectionTo(cluster, tenantId);
      if (this.hasClusters && before !== this.#forgotten) return this.#locate(tenantId); // it may have moved meanwhile
      const known = this.#set.get(tenantId);
      if (!given && !known) return true;
      // One that had a cluster of its own goes to a pool on the primary one.
      const next: Location = { cluster, connection: given ?? {} };
      if (!isDeepStrictEqual(next, known)) await this.#setUp(tenantId, next, known?.cluster !== cluster);
      return true;
    });
  }

  async #setUp(tenantId: string, next: Location, isMoved: boolean): Promise<void> {
    const name = this.databases.of(tenantId);
    const { mongoURI, options } = next.connection;
    const pool = { ...options, ...(mongoURI !== undefined && { mongoURI }) };
    this.pools.setDB(name, pool);
    // The old pool would serve on while work on it goes on; but the tenant is not there any more.
    if (isMoved && this.pools.isReconfiguring(name)) {
      await this.databases.context.within(managerScope(tenantId), () => this.pools.connectDB(name, pool));
    }
    this.#set.set(tenantId, next);
  }
}
