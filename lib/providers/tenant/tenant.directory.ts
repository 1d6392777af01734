import { isDeepStrictEqual } from 'node:util';
import { TenantNotReadyError, TenantUnknownError } from './tenant.errors.js';
import type { ResolvedTenantOptions, TenantConnection } from '../../polymongo.tenant-options.js';
import { outsideTransaction } from '../pools/active.transaction.js';
import type { Database } from '../pools/database.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { LookupCache } from './lookup.cache.js';
import type { TenantDatabases } from './tenant.databases.js';

type Locate = NonNullable<ResolvedTenantOptions['connection']>;

/** Knows which tenants there are (`tenant.exists`) and where (`tenant.connection`), and guards their databases by it. */
export class TenantDirectory {
  readonly #pools: PolyMongoPools;
  readonly #databases: TenantDatabases;
  readonly #known: LookupCache<boolean> | undefined;
  readonly #located: LookupCache<boolean> | undefined;
  /** What each tenant's pool was last set up with. */
  readonly #connections = new Map<string, TenantConnection>();

  /** @param isProvisioned answers for `exists: 'provisioned'` */
  constructor(
    pools: PolyMongoPools,
    databases: TenantDatabases,
    isProvisioned: (tenantId: string) => Promise<boolean>,
  ) {
    this.#pools = pools;
    this.#databases = databases;
    const { exists, existsTTLMS, connection } = databases.options;
    if (exists) {
      const ask = exists === 'provisioned' ? isProvisioned : exists;
      this.#known = new LookupCache((tenantId) => this.#asNoTenant(() => ask(tenantId)), existsTTLMS);
    }
    if (connection) {
      this.#located = new LookupCache((tenantId) => this.#locate(tenantId, connection));
      pools.events.on('poolState', ({ pool, from, to }) => {
        const tenantId = from === 'connecting' && to === 'closed' ? databases.tenantOf(pool) : undefined;
        if (tenantId !== undefined) this.#located?.forget(tenantId);
      });
    }
    if (!exists && !connection) return;
    pools.onDatabase((database) => this.#guard(database, databases.tenantOf(database.name)));
    databases.onNamed((name, tenantId) => this.#guard(pools.databases.get(name), tenantId));
  }

  /**
   * Lets a tenant in: undefined when nothing has to be asked, else a promise.
   * @throws InvalidTenantIdError at once; rejects with TenantUnknownError, and with what `exists` or `connection` throw
   */
  admit(tenantId: string): Promise<void> | undefined {
    this.#databases.of(tenantId);
    const isKnown = !this.#known || this.#known.peek(tenantId) === true;
    const isLocated = !this.#located || this.#located.peek(tenantId) === true;
    return isKnown && isLocated ? undefined : this.#ask(tenantId);
  }

  /** Runs `fn` as a tenant that may not exist (yet, any more), to make or drop its database. */
  async manage<T>(tenantId: string, fn: () => Promise<T>): Promise<T> {
    this.#known?.forget(tenantId);
    await this.#located?.get(tenantId);
    const scope = { tenantId, isPending: false, isRequest: false, isManager: true };
    try {
      return await this.#databases.context.within(scope, fn);
    } finally {
      this.#known?.forget(tenantId);
    }
  }

  /** Forgets where a tenant was, after it was dropped. */
  forget(tenantId: string): void {
    this.#located?.forget(tenantId);
    this.#connections.delete(tenantId);
  }

  async #ask(tenantId: string): Promise<void> {
    if (this.#known && !(await this.#known.get(tenantId))) throw new TenantUnknownError();
    await this.#located?.get(tenantId);
  }

  async #locate(tenantId: string, connection: Locate): Promise<boolean> {
    const given = await this.#asNoTenant(() => connection(tenantId));
    const known = this.#connections.get(tenantId);
    if (!given && !known) return true;
    const next = given ?? {}; // one that had a cluster of its own goes to a pool on the primary one
    if (!isDeepStrictEqual(next, known)) {
      const { mongoURI, options } = next;
      this.#pools.setDB(this.#databases.of(tenantId), { ...options, ...(mongoURI !== undefined && { mongoURI }) });
      this.#connections.set(tenantId, next);
    }
    return true;
  }

  /**
   * The application's own functions run as no tenant, so that what they ask does not wait for their own answer, and
   * outside of a transaction, which their answer outlives.
   */
  #asNoTenant<T>(fn: () => T): T {
    return outsideTransaction(() => this.#databases.context.within(undefined, fn));
  }

  #isManaging(tenantId: string): boolean {
    const { scope } = this.#databases.context;
    return scope?.isManager === true && scope.tenantId === tenantId;
  }

  #guard(database: Database | undefined, tenantId: string | undefined): void {
    if (!database || tenantId === undefined || database.gate) return;
    database.gate = {
      pass: () => (this.#isManaging(tenantId) ? undefined : this.admit(tenantId)),
      assertPassed: () => {
        if (this.#located && this.#located.peek(tenantId) === undefined && !this.#connections.has(tenantId)) {
          throw new TenantNotReadyError(database.name);
        }
      },
    };
  }
}
