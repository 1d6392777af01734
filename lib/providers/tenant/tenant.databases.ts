import { checkDatabaseName } from '../../polymongo.checks.js';
import { databaseKey } from '../../polymongo.database-key.js';
import {
  InvalidTenantIdError,
  TenantDatabaseTakenError,
  TenantMissingError,
  TenantPendingError,
} from './tenant.errors.js';
import type { ResolvedTenantOptions } from '../../polymongo.tenant-options.js';
import type { TenantContext } from './tenant.context.js';

/** Databases of the server itself; no tenant is ever given one. */
const RESERVED = new Set(['admin', 'local', 'config']);
const MAX_REMEMBERED = 100_000;
/** An id to learn from how databases are named. */
const PROBE = 'probe';

/** Whose a database is in this process. */
interface Owner {
  tenantId: string;
  name: string;
  /** It exists for certain; until then another id may turn out to be the database's real tenant. */
  isAdmitted: boolean;
}

/** Which database is a tenant's, and that no two tenants have the same. */
export class TenantDatabases {
  readonly #names = new Map<string, string>();
  /** By the key of the database's name. */
  readonly #owners = new Map<string, Owner>();
  #isNameTelling: boolean | undefined;
  readonly #onNamed: ((name: string, tenantId: string) => void)[] = [];

  constructor(
    readonly options: ResolvedTenantOptions,
    readonly context: TenantContext,
    readonly defaultDB: string,
  ) {}

  /** The current tenant's database. @throws TenantMissingError, TenantPendingError, TenantDatabaseTakenError */
  current(): string {
    const name = this.currentTenants();
    if (name !== undefined) return name;
    if (this.context.scope?.isPending) this.context.refuse(new TenantPendingError());
    if (!this.options.useDefaultDB) this.context.refuse(new TenantMissingError());
    return this.defaultDB;
  }

  /** As {@link current}, undefined when there is no tenant, whatever `useDefaultDB` says. @throws TenantDatabaseTakenError */
  currentTenants(): string | undefined {
    const tenantId = this.context.scope?.tenantId;
    return tenantId === undefined ? undefined : this.of(tenantId);
  }

  /** The database of a tenant, which is its from now on. @throws InvalidTenantIdError, TenantDatabaseTakenError */
  of(tenantId: string): string {
    return this.#names.get(tenantId) ?? this.#claim(tenantId, !this.options.exists);
  }

  /** The name that a tenant's database would have. @throws InvalidTenantIdError */
  nameFor(tenantId: string): string {
    const name = this.options.database(this.context.check(tenantId));
    const { pattern } = this.options;
    try {
      checkDatabaseName(name);
    } catch (cause) {
      throw new InvalidTenantIdError(String(pattern), { cause });
    }
    const key = databaseKey(name);
    if (RESERVED.has(key) || key === databaseKey(this.defaultDB)) throw new InvalidTenantIdError(String(pattern));
    return name;
  }

  /** As {@link nameFor}, undefined for what is no id here: another process may have other ids. */
  findName(tenantId: string): string | undefined {
    try {
      return this.nameFor(tenantId);
    } catch {
      return undefined;
    }
  }

  /**
   * Notes that a tenant exists: its database can be no other's any more.
   * @param isProven it is written down as this tenant's, so it is no longer that of whoever seemed to have it here
   * @throws TenantDatabaseTakenError
   */
  admit(tenantId: string, isProven = false): void {
    this.#claim(tenantId, true, isProven);
  }

  /** Forgets a tenant that does not exist (any more). */
  release(tenantId: string): void {
    const name = this.#names.get(tenantId);
    if (name === undefined) return;
    this.#names.delete(tenantId);
    this.#owners.delete(databaseKey(name));
  }

  /** The tenant whose database this is; always known when its handle is made on the tenant's behalf. */
  tenantOf(name: string): string | undefined {
    const owner = this.#owners.get(databaseKey(name));
    return owner?.name === name ? owner.tenantId : undefined;
  }

  /** @throws TenantDatabaseTakenError when the current tenant would have this database, but it is another's */
  assertCurrentIs(owner: string, name: string): void {
    const tenantId = this.context.scope?.tenantId;
    if (tenantId === undefined || tenantId === owner || this.#names.has(tenantId)) return;
    if (databaseKey(this.nameFor(tenantId)) === databaseKey(name)) throw new TenantDatabaseTakenError(name);
  }

  /** Has `listener` called when a tenant's database is named, before anybody uses it as the tenant's. */
  onNamed(listener: (name: string, tenantId: string) => void): void {
    this.#onNamed.push(listener);
  }

  /**
   * The tenant whose database has this name, found from the name alone; for a `database` option that puts something
   * before or after the id. Undefined for names that are no tenant's.
   */
  idOf(name: string): string | undefined {
    const owner = this.tenantOf(name);
    if (owner !== undefined) return owner;
    const sample = this.options.database(PROBE);
    const at = sample.indexOf(PROBE);
    if (at < 0) return undefined;
    const tenantId = name.slice(at, name.length - (sample.length - at - PROBE.length));
    try {
      return this.nameFor(tenantId) === name ? tenantId : undefined;
    } catch {
      return undefined;
    }
  }

  /**
   * As {@link idOf}; but where a database is called just as its tenant, only of tenants that are known here: any name could
   * be a tenant's then.
   */
  namedOwnerOf(name: string): string | undefined {
    const owner = this.tenantOf(name);
    if (owner !== undefined) return owner;
    this.#isNameTelling ??= this.#putsSomethingAroundIds();
    return this.#isNameTelling ? this.idOf(name) : undefined;
  }

  #putsSomethingAroundIds(): boolean {
    try {
      const sample = this.options.database(PROBE);
      return sample !== PROBE && sample.includes(PROBE);
    } catch {
      return false; // it only names ids that it knows
    }
  }

  #claim(tenantId: string, isAdmitted: boolean, isProven = false): string {
    const name = this.nameFor(tenantId);
    const key = databaseKey(name);
    const owner = this.#owners.get(key);
    if (owner?.tenantId === tenantId) {
      owner.isAdmitted ||= isAdmitted;
      return name;
    }
    if (owner?.isAdmitted && !isProven) throw new TenantDatabaseTakenError(name);
    if (owner) this.#names.delete(owner.tenantId);
    else if (this.#owners.size >= MAX_REMEMBERED) this.release(this.#names.keys().next().value!);
    this.#owners.set(key, { tenantId, name, isAdmitted });
    this.#names.set(tenantId, name);
    for (const listener of this.#onNamed) listener(name, tenantId);
    return name;
  }
}
