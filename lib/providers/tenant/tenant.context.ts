import { outsideEndedTransactions } from '../sessions/active.transaction.js';
import { ContextVariable } from '../sessions/context.variable.js';
import { currentWork, goOnInWork, inWork } from '../sessions/current.work.js';
import { carry } from './tenant.carrier.js';
import {
  InvalidTenantIdError,
  TenantConflictError,
  TenantError,
  TenantMissingError,
  TenantPendingError,
} from './tenant.errors.js';
import { checks, checkValue, ILL_FORMED } from '../../polymongo.checks.js';
import { PolyMongoError } from '../../polymongo.errors.js';
import type { ResolvedTenantOptions, TenantRequest, TenantSurroundings } from '../../polymongo.tenant-options.js';

/** The tenant of a piece of work: of a request, decided now or after its guards, or of a `run`. */
export interface TenantScope {
  tenantId: string | undefined;
  /** A request whose tenant is still to be found; nothing may stand in for it. */
  isPending: boolean;
  /** It belongs to a request or message and is shared by all that serves it. */
  readonly isRequest: boolean;
  /** The request opens a WebSocket: nothing is asked of it, and its tenant stays pending. */
  readonly isHandshake?: boolean;
  /** A tenant that the request names by something which only its client says; it counts once the guards' result agrees. */
  named?: string | undefined;
  /** The request's or message's scope that a `run` is inside of. */
  readonly request?: TenantScope | undefined;
  /** It provisions or deprovisions the tenant, which may not exist (yet, any more). */
  readonly isManager?: boolean;
  /** Another tenant that it reads, for the one that it makes. */
  readonly source?: string;
  /** What is done in it is done for this request, message or connection. */
  work: object | undefined;
  /** What `tenant.onEnter` has set up for it. */
  surroundings?: TenantSurroundings;
}

/** The scope of a request or message, before anything is known of its tenant. */
export const requestScope = (isPending: boolean, work: object, isHandshake = false): TenantScope => ({
  tenantId: undefined,
  isPending,
  isRequest: true,
  isHandshake,
  work,
});

/** The scope of what makes, looks after or drops a tenant. @param source another one that it reads */
export const managerScope = (tenantId: string, source?: string): TenantScope => ({
  tenantId,
  isPending: false,
  isRequest: false,
  isManager: true,
  ...(source !== undefined && { source }),
  work: currentWork(),
});

/** The request or message that a scope belongs to. */
export const scopeOfRequest = (scope: TenantScope | undefined): TenantScope | undefined =>
  scope?.isRequest ? scope : scope?.request;

/** The scopes of the current code, of each context one: each root of each application of a process has a context. */
interface HeldScope {
  readonly of: TenantContext;
  readonly scope: TenantScope;
  readonly others: HeldScope | undefined;
}

const scopes = new ContextVariable<HeldScope>();

/** What is held without that of one context. */
const without = (held: HeldScope | undefined, context: TenantContext): HeldScope | undefined =>
  held && (held.of === context ? held.others : { ...held, others: without(held.others, context) });

/** Runs `fn` as no tenant, of no root. */
export const asNoTenant = <T>(fn: () => T): T => scopes.run(undefined, fn);

/** Hears of a tenant being entered inside of another (or of none); refuses by throwing. */
export type SwitchListener = (from: string | undefined, to: string) => void;

/** The tenant on whose behalf the current code runs, carried through promises, timers and streams by AsyncLocalStorage. */
export class TenantContext {
  readonly #options: ResolvedTenantOptions;
  readonly #onSwitch = new Set<SwitchListener>();
  #onRefusal: (error: TenantError) => void = () => {};
  /** @internal Those of all roots of the application. */
  ofApplication: ReadonlySet<TenantContext> = new Set([this]);

  /** @internal Made by `PolyMongoWrapper`. */
  constructor(options: ResolvedTenantOptions) {
    this.#options = options;
  }

  /**
   * Runs `fn` as this tenant and gives back what it gives. A generator or Observable that it gives goes on as this
   * tenant wherever it is read.
   * @throws InvalidTenantIdError, PolyMongoOptionsError at once, before `fn` runs
   * @throws TenantSwitchError inside a transaction of another tenant
   */
  run<T>(tenantId: string, fn: () => T): T {
    this.check(tenantId);
    checkValue('fn', fn, checks.function);
    const outer = this.scope;
    const from = outer?.tenantId;
    if (from !== tenantId) for (const listener of this.#onSwitch) listener(from, tenantId);
    const scope: TenantScope = {
      tenantId,
      isPending: false,
      isRequest: false,
      request: scopeOfRequest(outer),
      work: currentWork(),
    };
    this.enter(scope, 'run');
    return carry(this.within(scope, fn), (read) => this.within(scope, read));
  }

  /** @internal Has `tenant.onEnter` hear that the work of a scope has its tenant from now on. @throws what that throws */
  enter(scope: TenantScope, kind: string, request?: TenantRequest): void {
    const { onEnter } = this.#options;
    if (onEnter === undefined || scope.tenantId === undefined) return;
    const entered = Object.freeze({ id: scope.tenantId, kind, ...(request && { request }) });
    const given: unknown = this.within(scope, () => onEnter(entered));
    if (given === undefined) return;
    if (typeof given !== 'function') {
      Promise.resolve(given).catch(() => {}); // of a promise, which nobody waits for
      throw new PolyMongoError(
        'tenant.onEnter must give nothing, or a function that runs the work, and at once: nothing waits for a promise.',
      );
    }
    scope.surroundings = given as TenantSurroundings;
  }

  /** The current tenant's id, undefined outside of any. @throws TenantPendingError while a request's is to be decided */
  current(): string | undefined {
    const scope = this.scope;
    if (scope !== undefined && scope.tenantId === undefined && scope.isPending) this.refuse(new TenantPendingError());
    return scope?.tenantId;
  }

  /** The current tenant's id. @throws TenantMissingError outside of any; TenantPendingError while it is to be decided */
  require(): string {
    const tenantId = this.current();
    return tenantId ?? this.refuse(new TenantMissingError());
  }

  /**
   * What there is to say of the current tenant, for logs and exception filters: its id, `pending` while a request's is
   * still to be decided, or `none`. Never throws. No key for anything: a tenant may be called `none`.
   */
  get state(): 'none' | 'pending' | (string & {}) {
    const scope = this.scope;
    return scope?.tenantId ?? (scope?.isPending ? 'pending' : 'none');
  }

  /** Gives a tenant id back if it is well-formed, and well-formed Unicode. @throws InvalidTenantIdError */
  check(tenantId: unknown): string {
    const { pattern } = this.#options;
    pattern.lastIndex = 0;
    if (typeof tenantId !== 'string' || !pattern.test(tenantId) || ILL_FORMED.test(tenantId))
      throw new InvalidTenantIdError(String(pattern));
    return tenantId;
  }

  /** @internal @throws the error, which is told of */
  refuse(error: TenantError): never {
    this.tellRefusal(error);
    throw error;
  }

  /** @internal Tells whoever wants to know that a client was refused; other errors are told elsewhere. */
  tellRefusal(error: unknown): void {
    if (error instanceof TenantError) this.#onRefusal(error);
  }

  /** @internal Has `listener` hear of each refusal of a client. */
  onRefusal(listener: (error: TenantError) => void): void {
    this.#onRefusal = listener;
  }

  /** @internal Has `listener` hear of each switch before it happens; gives the function that takes it back. */
  onSwitch(listener: SwitchListener): () => void {
    this.#onSwitch.add(listener);
    return () => void this.#onSwitch.delete(listener);
  }

  /** @internal The scope of the current code. */
  get scope(): TenantScope | undefined {
    let held = scopes.get();
    while (held && held.of !== this) held = held.others;
    return held?.scope;
  }

  /** @internal Runs `fn` in a scope, whatever the current one is; undefined: as no tenant. */
  within<T>(scope: TenantScope | undefined, fn: () => T): T {
    const others = without(scopes.get(), this);
    if (!scope) return scopes.run(others, fn);
    return scopes.run({ of: this, scope, others }, () => inWork(scope.work, inSurroundings(scope, fn)));
  }

  /**
   * @internal Has what goes on here be in a scope from now on, also in whoever called this: for who calls one part of an operation,
   * and does the rest of that himself.
   */
  goOnIn(scope: TenantScope): void {
    scopes.goOnWith({ of: this, scope, others: without(scopes.get(), this) });
    goOnInWork(scope.work);
  }

  /**
   * @internal Runs `fn` for the request or message of `scope`: where it is if that belongs to the same one (it may be in a `run`
   * of its own, or in a transaction), else in `scope`. Another scope is somebody else's, in whose context a callback came;
   * a transaction that is over is one in which it came.
   */
  reenter<T>(scope: TenantScope, fn: () => T): T {
    const current = this.scope;
    const isOwn = current === scope || (current !== undefined && scopeOfRequest(current) === scopeOfRequest(scope));
    const enter = () => outsideEndedTransactions(fn);
    return isOwn ? inWork(scope.work, inSurroundings(scope, enter)) : this.within(scope, enter);
  }

  /** The way back into the current scope; undefined where there is none. */
  capture(): (<T>(fn: () => T) => T) | undefined {
    const scope = this.scope;
    return scope && ((fn) => this.within(scope, fn));
  }

  /** @internal Requests may have a tenant here, found by resolvers. */
  get isResolving(): boolean {
    return this.#options.resolve.length > 0;
  }

  /** @internal Decides the tenant of the current request. @throws TenantConflictError when it has another one already */
  decide(scope: TenantScope, tenantId: string | undefined): void {
    if (tenantId !== undefined && scope.tenantId !== undefined && scope.tenantId !== tenantId) {
      throw new TenantConflictError();
    }
    scope.tenantId ??= tenantId;
    scope.isPending = false;
  }
}

/** The tenant of a request may be decided in the middle of it, so that it stands in none of its surroundings yet. */
const inSurroundings = <T>({ surroundings }: TenantScope, fn: () => T): (() => T) =>
  surroundings ? () => surroundings(fn) : fn;
