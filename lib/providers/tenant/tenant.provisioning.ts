import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import type { TenantDatabases } from './tenant.databases.js';
import type { TenantDirectory } from './tenant.directory.js';
import { TenantUnfinishedError } from './suspension.errors.js';
import { TenantDatabaseTakenError } from './tenant.errors.js';
import { TenantMovingError, TenantPlacedError } from './tenant-work.errors.js';
import type { TenantMigrations } from './tenant.migrations.js';
import type { Ownership, OwnershipHold, TenantRecord, TenantRegistry } from './tenant.registry.js';
import type { TenantSuspensions } from './tenant.suspensions.js';

/** What `provision` has made, or found. */
export interface ProvisionedTenant {
  /** The tenant's id. */
  tenantId: string;
  /** The name of its database. */
  database: string;
  /** It was not there before; it has been seeded. */
  isNew: boolean;
}

type Making = NonNullable<TenantRecord['making']>;

/** What is given to who fills a tenant's database. */
export interface FillTerms extends OwnershipHold {
  /** Somebody may be let in as the tenant meanwhile. */
  readonly isServed: boolean;
}

/** Makes the databases of tenants, and drops them, one process a tenant at a time. */
export class TenantProvisioning {
  readonly #pools: PolyMongoPools;
  readonly #databases: TenantDatabases;
  readonly #directory: TenantDirectory;
  readonly #registry: TenantRegistry;
  readonly #suspensions: TenantSuspensions;

  constructor(
    pools: PolyMongoPools,
    databases: TenantDatabases,
    directory: TenantDirectory,
    registry: TenantRegistry,
    suspensions: TenantSuspensions,
  ) {
    this.#pools = pools;
    this.#databases = databases;
    this.#directory = directory;
    this.#registry = registry;
    this.#suspensions = suspensions;
  }

  /**
   * @param cluster where a new one is made
   * @param migrations what a new tenant begins with
   */
  async provision(
    tenantId: string,
    { timeoutMS, cluster }: { timeoutMS: number; cluster: string | undefined },
    migrations?: TenantMigrations,
  ): Promise<ProvisionedTenant> {
    const database = this.#databases.of(tenantId);
    this.#directory.locations.assertKnown(cluster);
    const isNew = await this.#whileOwning({ tenantId, database, purpose: 'provision', timeoutMS }, async (record) => {
      await this.#place(record, cluster);
      return this.#directory.manage(tenantId, async () => {
        if (record.making) throw new TenantUnfinishedError(tenantId, record.making);
        if (record.state !== 'ready') await migrations?.begin(tenantId);
        await this.#pools.ensureIndexes(database);
        if (record.state === 'ready') return false;
        await this.#databases.options.seed?.(tenantId, this.#pools.connectionOf(database));
        await this.#registry.mark(record, 'ready');
        return true;
      });
    });
    this.#pools.events.emit('tenantProvisioned', { tenantId, db: database, isNew });
    return { tenantId, database, isNew };
  }

  /** @throws TenantPlacedError */
  async #place(record: TenantRecord, cluster: string | undefined): Promise<void> {
    if (cluster === undefined || record.cluster === cluster) return;
    if (record.state === 'ready' || record.cluster !== undefined)
      throw new TenantPlacedError(record._id, record.cluster);
    await this.#registry.place(record, cluster);
    this.#directory.locations.forget(record._id);
  }

  /** Has `work` make the database of a tenant, while this process alone works on it. The tenant is ready then. */
  async fill<T>(
    tenantId: string,
    making: Making,
    timeoutMS: number,
    work: (terms: FillTerms) => Promise<T>,
  ): Promise<T> {
    const database = this.#databases.of(tenantId);
    let isNew = false;
    const result = await this.#whileOwning({ tenantId, database, purpose: 'provision', timeoutMS }, (record, hold) =>
      this.#directory.manage(tenantId, async () => {
        if (record.move) throw new TenantMovingError(tenantId, record.move.phase);
        isNew = record.state !== 'ready';
        if (isNew) await this.#registry.begin(record, making);
        const isServed = !isNew || this.#databases.options.exists !== 'provisioned';
        const made = await work({ ...hold, isServed });
        await hold.renew();
        if (isNew) await this.#registry.mark(record, 'ready');
        return made;
      }),
    );
    this.#pools.events.emit('tenantProvisioned', { tenantId, db: database, isNew });
    return result;
  }

  async deprovision(tenantId: string, timeoutMS: number): Promise<void> {
    const db = this.#databases.of(tenantId);
    await this.#whileOwning({ tenantId, database: db, purpose: 'remove', timeoutMS }, async (record) => {
      if (record.move) throw new TenantMovingError(tenantId, record.move.phase);
      await this.#registry.mark(record, 'removing');
      await this.#directory.remove(tenantId, timeoutMS, async () => {
        await this.#pools.disconnect(db, 'deprovisioned');
        const database = this.#pools.database(db);
        await database.run(() => database.connection.db!.dropDatabase());
        await this.#pools.disconnect(db, 'deprovisioned');
        await this.#pools.release(db, 'deprovisioned');
      });
      await this.#suspensions.clear(tenantId); // the next tenant of this id is another one
      await this.#registry.remove(record);
    });
    this.#pools.events.emit('tenantDeprovisioned', { tenantId, db });
  }

  async #whileOwning<T>(
    ownership: Ownership,
    work: (record: TenantRecord, hold: OwnershipHold) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#registry.whileOwning(ownership, work);
    } catch (error) {
      if (error instanceof TenantDatabaseTakenError) this.#databases.release(ownership.tenantId);
      throw error;
    }
  }
}
