import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { asNobody } from '../sessions/subscriber.context.js';
import { atFarewell } from './registry.collection.js';
import type { TenantDatabases } from './tenant.databases.js';
import type { TenantRegistry } from './tenant.registry.js';
import { type Timer, clock } from '../../polymongo.clock.js';

interface Use {
  readonly tenantId: string;
  readonly at: Date;
}

/** When each tenant was last used: in this process, and written down for the others where `recordUseEveryMS` is set. */
export class TenantUse {
  readonly #pools: PolyMongoPools;
  readonly #databases: TenantDatabases;
  readonly #registry: TenantRegistry;
  /** By database: of those that were let go, until it is written down. */
  readonly #kept = new Map<string, Use>();
  #writtenUpTo = 0;
  #timer: Timer | undefined;

  constructor(pools: PolyMongoPools, databases: TenantDatabases, registry: TenantRegistry) {
    this.#pools = pools;
    this.#databases = databases;
    this.#registry = registry;
    const { recordUseEveryMS } = databases.options;
    if (recordUseEveryMS === undefined) return;
    pools.events.on('connected', () => this.#writeEvery(recordUseEveryMS));
    pools.events.on('disconnecting', ({ db }) => this.#keep(db)); // it takes its time of use along
    atFarewell(pools, () => this.#writeLast());
  }

  /** Of a database in this process, as far as it is in memory. */
  of(name: string): Date | undefined {
    const at = this.#pools.findDatabase(name)?.lastWorkAt;
    return at === undefined ? this.#kept.get(name)?.at : new Date(at);
  }

  #writeEvery(everyMS: number): void {
    if (this.#timer) return;
    const write = () => void this.#write().catch(() => {}); // the next one has it, too
    this.#timer = asNobody(() => clock.setInterval(write, everyMS));
    this.#timer.unref();
  }

  #writeLast(): Promise<void> {
    clock.clear(this.#timer);
    return this.#write();
  }

  #keep(db: string): void {
    const tenantId = this.#databases.tenantOf(db);
    const at = this.#pools.findDatabase(db)?.lastWorkAt;
    if (tenantId !== undefined && at !== undefined && at >= this.#writtenUpTo)
      this.#kept.set(db, { tenantId, at: new Date(at) });
  }

  async #write(): Promise<void> {
    const upTo = clock.now();
    for (const name of this.#pools.databases.keys()) this.#keep(name);
    const uses = new Map(this.#kept);
    await this.#registry.recordUse(new Map([...uses.values()].map(({ tenantId, at }) => [tenantId, at])));
    this.#writtenUpTo = upTo;
    for (const [db, use] of uses) if (this.#kept.get(db) === use) this.#kept.delete(db);
  }
}
