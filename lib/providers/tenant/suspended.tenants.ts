import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import type { TenantDatabases } from './tenant.databases.js';
import type { TenantLocations } from './tenant.locations.js';
import type { SuspensionListener, TenantSuspension, TenantSuspensions } from './tenant.suspensions.js';
import { clock } from '../../polymongo.clock.js';

/** Ends what a tenant has begun in this process when it is suspended. */
export class SuspendedTenants implements SuspensionListener {
  constructor(
    private readonly pools: PolyMongoPools,
    private readonly databases: TenantDatabases,
    private readonly suspensions: TenantSuspensions,
    private readonly isWorking: () => boolean,
    private readonly locations: TenantLocations,
  ) {}

  get isInterested(): boolean {
    const { events } = this.pools;
    return this.isWorking() || events.has('tenantSuspended') || events.has('tenantResumed');
  }

  /** Its streams complete; what does not end by itself, as a cursor that nobody closes, is ended after `shutdownTimeoutMS`. */
  suspended(tenantId: string, { reason }: TenantSuspension): void {
    const db = this.databases.findName(tenantId);
    if (db === undefined) return;
    void this.pools.completeStreams([db]);
    clock.setTimeout(() => this.#end(tenantId, db), this.pools.options.shutdownTimeoutMS).unref();
    this.pools.events.emit('tenantSuspended', { tenantId, db, ...(reason !== undefined && { reason }) });
  }

  resumed(tenantId: string): void {
    const db = this.databases.findName(tenantId);
    if (db !== undefined) this.pools.events.emit('tenantResumed', { tenantId, db });
  }

  /** Collections and indexes that were made here may not be there any more, nor may the tenant. */
  restored(tenantId: string): void {
    this.locations.forget(tenantId);
    const db = this.databases.findName(tenantId);
    if (db === undefined) return;
    this.pools.findDatabase(db)?.forgetContents();
    this.pools.events.emit('tenantRestored', { tenantId, db });
  }

  restoredAny(): void {
    this.locations.forgetAll();
  }

  #end(tenantId: string, db: string): void {
    const database = this.pools.findDatabase(db);
    const refusal = this.suspensions.refusalOf(tenantId);
    if (database && refusal) database.pool.abortLeases(database, refusal);
  }
}
