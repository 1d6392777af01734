import { checkDatabaseName } from '../../polymongo.checks.js';
import { InvalidTenantIdError } from '../../polymongo.errors.js';
import type { ResolvedTenantOptions } from '../../polymongo.tenant-options.js';
import type { TenantContext } from './tenant.context.js';

/** Databases of the server itself; no tenant is ever given one. */
const RESERVED = new Set(['admin', 'local', 'config']);
const MAX_REMEMBERED = 10_000;

/** Which database is a tenant's. */
export class TenantDatabases {
  readonly #names = new Map<string, string>();

  constructor(
    readonly options: ResolvedTenantOptions,
    readonly context: TenantContext,
    readonly defaultDB: string,
  ) {}

  /** The current tenant's database. @throws TenantMissingError */
  current(): string {
    return this.of(this.context.require());
  }

  /** The database of a tenant. @throws InvalidTenantIdError, InvalidDatabaseNameError */
  of(tenantId: string): string {
    return this.#names.get(tenantId) ?? this.#remember(this.context.check(tenantId));
  }

  #remember(tenantId: string): string {
    const name = this.options.database(tenantId);
    checkDatabaseName(name);
    if (RESERVED.has(name.toLowerCase()) || name === this.defaultDB)
      throw new InvalidTenantIdError(String(this.options.pattern));
    if (this.#names.size >= MAX_REMEMBERED) this.#names.clear();
    this.#names.set(tenantId, name);
    return name;
  }
}
