import { checkDatabaseName } from '../../polymongo.checks.js';
import { InvalidTenantIdError, TenantMissingError } from './tenant.errors.js';
import type { ResolvedTenantOptions } from '../../polymongo.tenant-options.js';
import type { TenantContext } from './tenant.context.js';

/** Databases of the server itself; no tenant is ever given one. */
const RESERVED = new Set(['admin', 'local', 'config']);
const MAX_REMEMBERED = 10_000;

/** Which database is a tenant's. */
export class TenantDatabases {
  readonly #names = new Map<string, string>();
  readonly #tenants = new Map<string, string>();
  readonly #onNamed: ((name: string, tenantId: string) => void)[] = [];

  constructor(
    readonly options: ResolvedTenantOptions,
    readonly context: TenantContext,
    readonly defaultDB: string,
  ) {}

  /** The current tenant's database. @throws TenantMissingError */
  current(): string {
    const { scope } = this.context;
    if (scope?.tenantId !== undefined) return this.of(scope.tenantId);
    if (!this.options.useDefaultDB || scope?.isPending) throw new TenantMissingError();
    return this.defaultDB;
  }

  /** The database of a tenant. @throws InvalidTenantIdError, InvalidDatabaseNameError */
  of(tenantId: string): string {
    return this.#names.get(tenantId) ?? this.#remember(this.context.check(tenantId));
  }

  /** The tenant that was last seen to own a database; always known when its handle is made on the tenant's behalf. */
  tenantOf(name: string): string | undefined {
    return this.#tenants.get(name);
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
    const PROBE = 'probe';
    const sample = this.options.database(PROBE);
    const at = sample.indexOf(PROBE);
    if (at < 0) return this.tenantOf(name);
    const tenantId = name.slice(at, name.length - (sample.length - at - PROBE.length));
    try {
      return this.of(tenantId) === name ? tenantId : undefined;
    } catch {
      return undefined;
    }
  }

  #remember(tenantId: string): string {
    const name = this.options.database(tenantId);
    checkDatabaseName(name);
    if (RESERVED.has(name.toLowerCase()) || name.toLowerCase() === this.defaultDB.toLowerCase())
      throw new InvalidTenantIdError(String(this.options.pattern));
    if (this.#names.size >= MAX_REMEMBERED) {
      this.#names.clear();
      this.#tenants.clear();
    }
    this.#names.set(tenantId, name);
    this.#tenants.set(name, tenantId);
    for (const listener of this.#onNamed) listener(name, tenantId);
    return name;
  }
}
