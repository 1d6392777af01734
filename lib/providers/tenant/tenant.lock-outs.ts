import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { managerScope } from './tenant.context.js';
import { TenantInUseError } from './tenant-work.errors.js';
import { TenantUnknownError } from './tenant.errors.js';
import type { TenantDatabases } from './tenant.databases.js';
import { clock, delay } from '../../polymongo.clock.js';

const POLL_MS = 20;

/** The tenants that are being removed: no work begins for them in this process. */
export class TenantLockOuts {
  readonly #pools: PolyMongoPools;
  readonly #databases: TenantDatabases;
  /** By how many it is held: this process may remove a tenant that another one removes, too. */
  readonly #locked = new Map<string, { holders: number; sinceMS: number }>();
  #count = 0;

  constructor(pools: PolyMongoPools, databases: TenantDatabases) {
    this.#pools = pools;
    this.#databases = databases;
  }

  /** How often any tenant has been locked out; an admission that began before the last time has to be asked for again. */
  get count(): number {
    return this.#count;
  }

  /** Has every admission that is under way be asked for again. */
  renew(): void {
    this.#count++;
  }

  has(tenantId: string): boolean {
    return this.#locked.size > 0 && this.#locked.has(tenantId);
  }

  /** Lets no work begin for the tenant, and has its change streams complete. */
  add(tenantId: string): void {
    const holders = (this.#locked.get(tenantId)?.holders ?? 0) + 1;
    this.#locked.set(tenantId, { holders, sinceMS: clock.now() });
    this.#count++;
    const db = this.#databases.findName(tenantId);
    if (db !== undefined) void this.#pools.completeStreams([db]);
  }

  remove(tenantId: string): void {
    const locked = this.#locked.get(tenantId);
    if (locked && --locked.holders <= 0) this.#locked.delete(tenantId);
  }

  /** Nothing of the tenant runs here. Cursors that nobody closes are ended after `shutdownTimeoutMS`. */
  isIdle(tenantId: string): boolean {
    const db = this.#databases.findName(tenantId);
    const database = db === undefined ? undefined : this.#pools.findDatabase(db);
    if (!database || database.leaseCount === 0) return true;
    const { sinceMS } = this.#locked.get(tenantId) ?? { sinceMS: Infinity };
    if (clock.now() - sinceMS >= this.#pools.options.shutdownTimeoutMS)
      database.pool.abortLeases(database, new TenantUnknownError());
    return database.leaseCount === 0;
  }

  /** Resolves when nothing of the tenant runs here. @throws TenantInUseError after `timeoutMS` */
  async untilIdle(tenantId: string, timeoutMS: number): Promise<void> {
    const startedAt = clock.now();
    do {
      await delay(POLL_MS); // what was let in before has begun by then
      if (this.isIdle(tenantId)) return;
    } while (clock.now() - startedAt < timeoutMS);
    throw new TenantInUseError(tenantId, 1, clock.now() - startedAt);
  }

  /** Closes the tenant's own pool, or its part of the shared one; disconnect hooks run as the tenant. */
  async close(tenantId: string): Promise<void> {
    const db = this.#databases.findName(tenantId);
    if (db === undefined) return;
    const scope = managerScope(tenantId);
    await this.#databases.context.within(scope, async () => {
      await this.#pools.disconnect(db, 'deprovisioned');
      await this.#pools.release(db, 'deprovisioned');
    });
  }

  /** This process works for some tenant. */
  isWorking(): boolean {
    for (const { name, leaseCount } of this.#pools.databases.values()) {
      if (leaseCount > 0 && this.#databases.tenantOf(name) !== undefined) return true;
    }
    return false;
  }
}
