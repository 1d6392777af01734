import type { ObservedOperation } from '../databases/operation.observers.js';
import { BoundedLabels, OTHER } from './bounded.labels.js';
import { commandOf } from './operation.names.js';

/** Of names that the code of an application chooses there are few; of those that requests choose there are as many as they like. */
const MAX_NAMES = 200;

/** What an operation is counted under. */
export interface OperationLabels {
  readonly namespace: string;
  readonly collection: string | undefined;
  readonly operation: string;
  /** Undefined for a database that is no tenant's. */
  readonly tenant: string | undefined;
}

/** Gives operations their labels, so that their number has a bound. */
export class OperationLabelling {
  readonly #tenants: BoundedLabels;
  readonly #databases = new BoundedLabels(MAX_NAMES);
  readonly #collections = new BoundedLabels(MAX_NAMES);

  constructor(
    readonly tenantOf: (dbName: string) => string | undefined,
    options: { tenants: readonly string[] | undefined; maxTenants: number },
  ) {
    this.#tenants = new BoundedLabels(options.maxTenants, options.tenants);
  }

  /** A tenant's database has its name where the tenant has. */
  of({ method, database, collection }: ObservedOperation): OperationLabels {
    const tenantId = this.tenantOf(database);
    const tenant = tenantId === undefined ? undefined : this.#tenants.labelOf(tenantId);
    return {
      namespace: tenant === OTHER ? OTHER : tenant === undefined ? this.#databases.labelOf(database) : database,
      collection: collection === undefined ? undefined : this.#collections.labelOf(collection),
      operation: commandOf(method),
      tenant,
    };
  }
}
