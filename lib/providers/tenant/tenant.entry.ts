import type { ExecutionContext } from '@nestjs/common';
import type { ResolvedTenantOptions, TenantRequest } from '../../polymongo.tenant-options.js';
import { inWork } from '../sessions/current.work.js';
import type { PipelineCall } from './pipeline.stages.js';
import { requestScope, type TenantContext, type TenantScope } from './tenant.context.js';
import { TenantConflictError } from './tenant.errors.js';
import type { TenantDirectory } from './tenant.directory.js';
import {
  graphqlRequestOf,
  isHandshake,
  isSubscription,
  messageOf,
  nodeRequestOf,
  requestOf,
} from './tenant.request.js';
import { isPromise, TenantResolution } from './tenant.resolution.js';

export type Next = (error?: unknown) => void;

/**
 * Lets each HTTP request in as its tenant, or as none; asks and waits only where something is not known yet. Every
 * request gets a scope of its own, which it is brought back into wherever Nest goes on with it.
 */
export class TenantEntry {
  readonly resolution: TenantResolution;
  /** The scope of each message, by {@link messageOf}. */
  readonly messages = new WeakMap<object, TenantScope>();
  /** Scopes whose resolvers are being asked, and until when. */
  readonly #asking = new WeakMap<TenantScope, Promise<void>>();
  readonly #key = Symbol('polymongo.scope');

  constructor(
    readonly context: TenantContext,
    readonly directory: TenantDirectory,
    { resolve, trust }: Pick<ResolvedTenantOptions, 'resolve' | 'trust'>,
  ) {
    this.resolution = new TenantResolution(resolve, trust, context);
  }

  /** @param next called in the request's scope, with an error that came up */
  enter(request: TenantRequest, next: Next): void {
    const scope = this.#ownScope(request);
    inWork(scope.work, () => this.#enter(request, scope, next));
  }

  #enter(request: TenantRequest, scope: TenantScope, next: Next): void {
    const fail = (error: unknown) => {
      scope.isPending = false;
      this.context.tellRefusal(error);
      this.context.within(scope, () => next(error));
    };
    try {
      if (scope.isHandshake) return this.context.within(scope, next); // each of its messages is asked about
      const found = this.#asNobody(() => this.resolution.onArrival(request, scope));
      const admitted = isPromise(found)
        ? found.then((tenantId) => this.#admit(request, scope, tenantId, next))
        : this.#admit(request, scope, found, next);
      admitted?.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  /** Runs `fn` as the request, in whose scope what is current may not be any more. */
  reenter<T>(request: TenantRequest, fn: () => T): T {
    return this.context.reenter(this.#ownScope(request), fn);
  }

  /** The scope of a request that came through here; undefined for what is none. */
  scopeOf(request: unknown): TenantScope | undefined {
    return typeof request === 'object' && request !== null ? this.#holderOf(request)[this.#key] : undefined;
  }

  /** The scope of the HTTP request that a call belongs to; undefined for what is none. */
  requestScopeOf({ type, args }: PipelineCall): TenantScope | undefined {
    if (type === 'http') return this.scopeOf(args[0]);
    if (type !== 'graphql' || isSubscription(args)) return undefined;
    const scope = this.scopeOf(graphqlRequestOf(args));
    return scope?.isHandshake ? undefined : scope;
  }

  /**
   * The guards may have found out what the resolvers wait for. A GraphQL operation has guards at each of its fields, one
   * of which may know what those before it did not.
   */
  isToBeAsked(scope: TenantScope, type: string): boolean {
    const isAsked = this.resolution.hasAfterGuards || scope.isHandshake === true;
    return isAsked && this.isUndecided(scope, type);
  }

  /** The same of a message whose interceptors ask. */
  isUndecided(scope: TenantScope, type: string): boolean {
    return type === 'graphql' ? isUndecided(scope) : scope.isPending;
  }

  /** Decides the tenant of an HTTP request after its guards; of a handshake nothing has been asked. @throws TenantError */
  async askAfterGuards(scope: TenantScope, execution: ExecutionContext): Promise<void> {
    await this.#decide(this.#question(scope, execution, 'http'));
  }

  /** Decides the tenant of a message. @throws TenantError */
  async askAtOnce(scope: TenantScope, execution: ExecutionContext): Promise<void> {
    await this.#decide(this.#question(scope, execution));
  }

  /** Decides the tenant of a call where a guard stands, unless it has been. @throws TenantError */
  async askInGuards(execution: ExecutionContext): Promise<void> {
    const question = this.#questionOf(execution);
    if (question) await this.#decide(question);
  }

  /**
   * Whether a call that was decided would have a tenant by now that it has not.
   * @param isOther somebody else is asking than when it was decided
   * @throws as the resolvers
   */
  async hasOtherTenantByNow(execution: ExecutionContext, isOther: boolean): Promise<boolean> {
    const question = this.#questionOf(execution);
    if (!question || (!isOther && !isUndecided(question.scope))) return false;
    try {
      const found = await question.ask();
      return found !== undefined && found !== question.scope.tenantId;
    } catch (error) {
      if (error instanceof TenantConflictError) return true;
      throw error;
    }
  }

  /** Runs `fn` in the scope of a call, and in what `tenant.onEnter` has set up for it since the call began. */
  inCall<T>(execution: ExecutionContext, fn: () => T): T {
    const question = this.#questionOf(execution);
    return question ? this.context.reenter(question.scope, fn) : fn();
  }

  /** Of a call that Nest has come to the guards of. */
  #questionOf(execution: ExecutionContext): Question | undefined {
    const call = { type: execution.getType<string>(), args: execution.getArgs<unknown[]>() };
    const ofRequest = this.requestScopeOf(call);
    if (ofRequest) return this.#question(ofRequest, execution, 'http');
    const ofMessage = this.messages.get(messageOf(call));
    return ofMessage && this.#question(ofMessage, execution);
  }

  #question(scope: TenantScope, execution: ExecutionContext, kind: string = execution.getType()): Question {
    const request = requestOf(execution);
    const asked = kind === 'http' && !scope.isHandshake ? 'afterGuards' : 'atOnce';
    return { scope, kind, request, ask: () => this.resolution[asked](request, scope, execution) };
  }

  /** One after the other: the fields of a GraphQL operation ask at the same time, and one answer is enough. */
  async #decide(question: Question): Promise<void> {
    const { scope } = question;
    while (this.#asking.has(scope)) await this.#asking.get(scope);
    if (!isUndecided(scope)) return;
    const decision = this.#askAndAdmit(question);
    const end = () => void this.#asking.delete(scope);
    this.#asking.set(scope, decision.then(end, end));
    await decision;
  }

  async #askAndAdmit({ scope, kind, request, ask }: Question): Promise<void> {
    try {
      const tenantId = await ask();
      if (tenantId !== undefined) await this.directory.admit(tenantId);
      const isNew = scope.tenantId === undefined;
      this.context.decide(scope, tenantId);
      if (isNew) this.context.enter(scope, kind, request);
    } catch (error) {
      this.context.tellRefusal(error);
      throw error;
    }
  }

  #admit(request: TenantRequest, scope: TenantScope, tenantId: string | undefined, next: Next): void | Promise<void> {
    const admission = tenantId === undefined ? undefined : this.directory.admit(tenantId);
    const proceed = () => {
      if (tenantId !== undefined) {
        scope.tenantId = tenantId;
        this.context.enter(scope, 'http', request);
      }
      this.#proceed(scope, this.resolution.hasAfterGuards, next);
    };
    if (admission) return admission.then(proceed);
    proceed();
  }

  #proceed(scope: TenantScope, isPending: boolean, next: Next): void {
    scope.isPending = isPending;
    this.context.within(scope, next);
  }

  #ownScope(request: TenantRequest): TenantScope {
    const holder = this.#holderOf(request);
    return (holder[this.#key] ??= requestScope(this.resolution.resolvers.length > 0, holder, isHandshake(request)));
  }

  /** What has the scope of a request: itself, or the one of Node's inside of it. */
  #holderOf(request: object): ScopedRequest {
    return (this.#key in request ? request : nodeRequestOf(request)) as ScopedRequest;
  }

  /** Resolvers are not asked in the scope of whoever this request came in the context of. */
  #asNobody<T>(fn: () => T): T {
    return this.context.scope === undefined ? fn() : this.context.within(undefined, fn);
  }
}

/** Whose tenant is to be found, and how. */
interface Question {
  readonly scope: TenantScope;
  readonly kind: string;
  readonly request: TenantRequest;
  ask(): Promise<string | undefined>;
}

/** Nobody has found its tenant yet, or all who were asked so far found none. */
const isUndecided = ({ isPending, tenantId }: TenantScope): boolean => isPending || tenantId === undefined;

/** On a request as Node has it, by the entry's own key: its scope. */
type ScopedRequest = Record<symbol, TenantScope | undefined>;
