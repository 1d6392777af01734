import type { ExecutionContext } from '@nestjs/common';
import { isObservable, map } from 'rxjs';
import { beginWork, inWork, workOfMessage } from '../sessions/current.work.js';
import { GuardOrder } from './guard.order.js';
import type { Guards, Interceptors, Onward, PipelineCall, PipelineStages } from './pipeline.stages.js';
import { carry } from './tenant.carrier.js';
import { requestScope, scopeOfRequest, type TenantContext, type TenantScope } from './tenant.context.js';
import { emitHere, ScopedInterceptors } from './tenant.emission.js';
import type { TenantEntry } from './tenant.entry.js';
import { isAsking } from './tenant.interceptor.js';
import { graphqlRequestOf, isBelow, isHandshake, isSubscription, messageOf } from './tenant.request.js';

/**
 * Keeps each of Nest's stages in the scope of its own request, whoever's context it is called in: a callback of a shared
 * socket or pool comes in the context of whoever opened that. Messages begin in a scope of their own, with no tenant.
 */
export class TenantStages implements PipelineStages {
  readonly #context: TenantContext;
  readonly #scoped: ScopedInterceptors;
  /** Scopes of messages that have reached no stage yet. */
  readonly #begun = new WeakSet<TenantScope>();
  /** Scopes of GraphQL subscriptions. */
  readonly #operations = new WeakSet<TenantScope>();
  readonly #order: GuardOrder;

  constructor(readonly entry: TenantEntry) {
    this.#context = entry.context;
    this.#scoped = new ScopedInterceptors(entry.context);
    this.#order = new GuardOrder(entry);
  }

  message<T>(proceed: () => T): T {
    return this.#context.within(this.#begin(), proceed);
  }

  #begin(): TenantScope {
    const scope = requestScope(false, beginWork());
    this.#begun.add(scope);
    return scope;
  }

  connection<T>(proceed: () => T): T {
    return this.#context.within(undefined, () => inWork({}, proceed));
  }

  resolver<T>(call: PipelineCall, proceed: () => T): T {
    const { messages } = this.entry;
    const message = messageOf(call);
    const scope = this.entry.requestScopeOf(call) ?? messages.get(message);
    if (scope) return this.#context.reenter(scope, proceed);
    if (!this.#isMessage(call) || this.#operationOf(call)) return proceed();
    const begun = this.#begin();
    messages.set(message, begun);
    // Its library calls what stands below by itself, and of a subscription `filter` and `resolve` with each event.
    if (call.type === 'graphql') this.#context.goOnIn(begun);
    if (isSubscription(call.args)) this.#operations.add(begun);
    return this.#context.within(begun, proceed);
  }

  /** The subscription that a resolver below it is called in. */
  #operationOf({ type, args }: PipelineCall): TenantScope | undefined {
    if (type !== 'graphql' || !isBelow(args) || !isSubscription(args)) return undefined;
    const scope = scopeOfRequest(this.#context.scope);
    return scope && this.#operations.has(scope) ? scope : undefined;
  }

  onward(next: Onward): Onward {
    const handler = this.#scoped.handlerHere({ handle: next });
    return () => handler.handle();
  }

  guards<T>(call: PipelineCall, guards: Guards, interceptors: Interceptors, proceed: (guards: Guards) => T): T {
    const isAsked = () => this.#isAskedFor(guards) || this.#isAskedFor(interceptors);
    const scope = this.entry.requestScopeOf(call) ?? this.#messageScope(call, isAsked);
    const run = () => proceed(this.#order.of(guards));
    return scope ? this.#context.reenter(scope, run) : run();
  }

  interceptors(
    call: PipelineCall,
    interceptors: Interceptors,
    proceed: (interceptors: Interceptors) => Promise<unknown>,
    execution: () => ExecutionContext,
  ): Promise<unknown> {
    const run = () => proceed(this.#scoped.of(interceptors));
    const scope = this.entry.requestScopeOf(call);
    if (scope) {
      const { entry } = this;
      const inScope = () => this.#context.reenter(scope, run);
      return entry.isToBeAsked(scope, call.type)
        ? this.#context.reenter(scope, () => entry.askAfterGuards(scope, execution()).then(inScope))
        : inScope();
    }
    const isAsked = this.#isAskedFor(interceptors);
    const message = this.#messageScope(call, () => isAsked);
    if (!message) return proceed(interceptors);
    const isToBeAsked = () => isAsked && this.entry.isUndecided(message, call.type);
    return this.#context.reenter(message, async () => {
      if (isToBeAsked()) await this.entry.askAtOnce(message, execution());
      return this.#inScope(await this.#context.reenter(message, run));
    });
  }

  /**
   * With `TenantInterceptor` among its interceptors, the resolvers are asked for a message before all of them; with
   * `TenantGuard` among its guards, there.
   */
  #isAskedFor(list: Guards | Interceptors): boolean {
    return list.some((one) => isAsking(one, this.entry));
  }

  /** What a handler gives, evaluated as its message by whoever reads it; a subscription gives a generator. */
  #inScope(result: unknown): unknown {
    const context = this.#context;
    const scope = context.scope!;
    const carried = (value: unknown) => carry(value, (read) => context.within(scope, read));
    return isObservable(result) ? emitHere(context, result.pipe(map(carried))) : carried(result);
  }

  /**
   * The own scope of a message: the one that it began in, or a new one if somebody else's is all there is. Pending while
   * its resolvers are to be asked. Undefined for what is no message.
   */
  #messageScope(call: PipelineCall, isAsked: () => boolean): TenantScope | undefined {
    const { messages } = this.entry;
    const message = messageOf(call);
    const known = messages.get(message);
    if (known ? !this.#begun.has(known) : !this.#isMessage(call)) return known;
    const operation = this.#operationOf(call);
    if (operation) {
      messages.set(message, operation);
      return operation;
    }
    const around = known ?? this.#context.scope;
    const scope = around && this.#begun.delete(around) ? around : requestScope(false, {});
    scope.work = workOfMessage(message);
    scope.isPending = isAsked();
    messages.set(message, scope);
    return scope;
  }

  /** A message begins without a tenant. What Nest does not know (a library's own type of call) may not inherit a request's. */
  #isMessage({ type, args }: PipelineCall): boolean {
    if (type === 'ws' || type === 'rpc') return true;
    if (type !== 'graphql') return scopeOfRequest(this.#context.scope) !== undefined;
    const request = graphqlRequestOf(args);
    return isSubscription(args) || (request !== undefined && isHandshake(request));
  }
}
