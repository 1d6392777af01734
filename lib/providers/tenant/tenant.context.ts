import { AsyncLocalStorage } from 'node:async_hooks';
import { InvalidTenantIdError, TenantMissingError } from '../../polymongo.errors.js';
import type { ResolvedTenantOptions } from '../../polymongo.tenant-options.js';

/** The tenant on whose behalf the current code runs, carried through promises, timers and streams by AsyncLocalStorage. */
export class TenantContext {
  readonly #storage = new AsyncLocalStorage<string | undefined>();
  readonly #options: ResolvedTenantOptions;

  constructor(options: ResolvedTenantOptions) {
    this.#options = options;
  }

  /**
   * Runs `fn` as this tenant and gives back what it gives.
   * @throws InvalidTenantIdError at once, before `fn` runs
   */
  run<T>(tenantId: string, fn: () => T): T {
    return this.#storage.run(this.check(tenantId), fn);
  }

  /** The current tenant's id, undefined outside of any. */
  current(): string | undefined {
    return this.#storage.getStore();
  }

  /** The current tenant's id. @throws TenantMissingError outside of any */
  require(): string {
    const tenantId = this.#storage.getStore();
    if (tenantId === undefined) throw new TenantMissingError();
    return tenantId;
  }

  /** Gives a tenant id back if it is well-formed. @throws InvalidTenantIdError */
  check(tenantId: unknown): string {
    const { pattern } = this.#options;
    pattern.lastIndex = 0;
    if (typeof tenantId !== 'string' || !pattern.test(tenantId)) throw new InvalidTenantIdError(String(pattern));
    return tenantId;
  }
}
