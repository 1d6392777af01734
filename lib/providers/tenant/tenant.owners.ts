import { LookupCache } from './lookup.cache.js';
import type { TenantDatabases } from './tenant.databases.js';
import type { TenantRegistry } from './tenant.registry.js';
import type { DatabaseOwner } from './tenant.uniqueness.js';

/**
 * How long a refusal is remembered, in ms: so often at most an id has the question asked again, and so long at most does
 * a tenant wait that another process has just made.
 */
export const REFUSAL_MS = 1_000;

/** Whose the databases of tenants are by the registry, where two ids may map to one. Remembered for `existsTTLMS`. */
export class TenantOwners {
  readonly #answers: LookupCache<DatabaseOwner>;

  /** @param asNoTenant what the registry is asked in */
  constructor(registry: TenantRegistry, databases: TenantDatabases, asNoTenant: <T>(fn: () => T) => T) {
    const { existsTTLMS } = databases.options;
    const ask = async (tenantId: string, last: DatabaseOwner | undefined): Promise<DatabaseOwner> => {
      try {
        return await registry.ownerOf(databases.nameFor(tenantId), tenantId);
      } catch (error) {
        if (!isUsable(last)) throw error;
        return last; // whoever has been let in stays in while the registry cannot be asked
      }
    };
    this.#answers = new LookupCache(
      (tenantId, last) => asNoTenant(() => ask(tenantId, last)),
      (owner) => (isUsable(owner) ? existsTTLMS : Math.min(existsTTLMS, REFUSAL_MS)),
    );
  }

  get(tenantId: string): Promise<DatabaseOwner> {
    return this.#answers.get(tenantId);
  }

  /** It is remembered that the tenant may use its database. */
  isUser(tenantId: string): boolean {
    return isUsable(this.#answers.peek(tenantId));
  }

  /** Has the next one ask again where the tenant was refused. */
  forgetRefusal(tenantId: string): void {
    if (this.#answers.peek(tenantId) === 'taken') this.#answers.forget(tenantId);
  }

  forget(tenantId: string): void {
    this.#answers.forget(tenantId);
  }

  clear(): void {
    this.#answers.clear();
  }
}

const isUsable = (owner: DatabaseOwner | undefined): owner is 'own' | 'free' => owner === 'own' || owner === 'free';
