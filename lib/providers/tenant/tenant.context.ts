import { AsyncLocalStorage } from 'node:async_hooks';
import { carry } from './tenant.carrier.js';
import { InvalidTenantIdError, TenantConflictError, TenantMissingError } from './tenant.errors.js';
import type { ResolvedTenantOptions } from '../../polymongo.tenant-options.js';

/** The tenant of a piece of work: of a request, decided now or after its guards, or of a `run`. */
export interface TenantScope {
  tenantId: string | undefined;
  /** A request whose tenant is still to be found; nothing may stand in for it. */
  isPending: boolean;
  /** It belongs to an HTTP request and is shared by all that serves it. */
  readonly isRequest: boolean;
  /** It provisions or deprovisions the tenant, which may not exist (yet, any more). */
  readonly isManager?: boolean;
}

/** Hears of a tenant being entered inside of another (or of none); refuses by throwing. */
export type SwitchListener = (from: string | undefined, to: string) => void;

/** The tenant on whose behalf the current code runs, carried through promises, timers and streams by AsyncLocalStorage. */
export class TenantContext {
  readonly #storage = new AsyncLocalStorage<TenantScope | undefined>();
  readonly #options: ResolvedTenantOptions;
  readonly #onSwitch = new Set<SwitchListener>();

  constructor(options: ResolvedTenantOptions) {
    this.#options = options;
  }

  /**
   * Runs `fn` as this tenant and gives back what it gives. A generator or Observable that it gives goes on as this
   * tenant wherever it is read.
   * @throws InvalidTenantIdError at once, before `fn` runs
   * @throws TenantSwitchError inside a transaction of another tenant
   */
  run<T>(tenantId: string, fn: () => T): T {
    this.check(tenantId);
    const from = this.current();
    if (from !== tenantId) for (const listener of this.#onSwitch) listener(from, tenantId);
    const scope = { tenantId, isPending: false, isRequest: false };
    return carry(this.#storage.run(scope, fn), (read) => this.within(scope, read));
  }

  /** The current tenant's id, undefined outside of any. */
  current(): string | undefined {
    return this.#storage.getStore()?.tenantId;
  }

  /** The current tenant's id. @throws TenantMissingError outside of any */
  require(): string {
    const tenantId = this.#storage.getStore()?.tenantId;
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

  /** Has `listener` hear of each switch before it happens; gives the function that takes it back. */
  onSwitch(listener: SwitchListener): () => void {
    this.#onSwitch.add(listener);
    return () => void this.#onSwitch.delete(listener);
  }

  /** The scope of the current code. */
  get scope(): TenantScope | undefined {
    return this.#storage.getStore();
  }

  /** Runs `fn` in a scope, whatever the current one is; undefined: as no tenant. */
  within<T>(scope: TenantScope | undefined, fn: () => T): T {
    return this.#storage.run(scope, fn);
  }

  /** The way back into the current scope; undefined where there is none. */
  capture(): (<T>(fn: () => T) => T) | undefined {
    const scope = this.#storage.getStore();
    return scope && ((fn) => this.within(scope, fn));
  }

  /** Decides the tenant of the current request. @throws TenantConflictError when it has another one already */
  decide(scope: TenantScope, tenantId: string | undefined): void {
    if (tenantId !== undefined && scope.tenantId !== undefined && scope.tenantId !== tenantId) {
      throw new TenantConflictError();
    }
    scope.tenantId ??= tenantId;
    scope.isPending = false;
  }
}
