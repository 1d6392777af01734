import type { TenantRequest } from '../../polymongo.tenant-options.js';
import { asNoTenant } from './tenant.context.js';
import type { Next, TenantEntry } from './tenant.entry.js';

/** The entries of an application's roots as one: a request has a scope of each, and no tenant of one is another's. */
export class TenantEntries {
  readonly #entries: TenantEntry[];

  constructor(first: TenantEntry) {
    this.#entries = [first];
  }

  add(entry: TenantEntry): void {
    this.#entries.push(entry);
  }

  /** @param next called in the request's scopes, or with the error of the first root that refuses it */
  enter(request: TenantRequest, next: Next): void {
    if (this.#entries.length === 1) this.#entries[0]!.enter(request, next);
    else asNoTenant(() => this.#enterFrom(0, request, next));
  }

  /** Runs `fn` as the request, in whose scopes what is current may not be any more. */
  reenter<T>(request: TenantRequest, fn: () => T): T {
    return this.#entries.reduce((inner, entry) => () => entry.reenter(request, inner), fn)();
  }

  #enterFrom(at: number, request: TenantRequest, next: Next): void {
    const entry = this.#entries[at];
    if (!entry) return next();
    entry.enter(request, (error) => (error === undefined ? this.#enterFrom(at + 1, request, next) : next(error)));
  }
}
