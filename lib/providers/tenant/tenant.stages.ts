import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { isObservable, Observable } from 'rxjs';
import type { Interceptors, PipelineCall, PipelineStages } from './nest.pipeline.js';
import { carry } from './tenant.carrier.js';
import { requestScope, scopeOfRequest, type TenantContext, type TenantScope } from './tenant.context.js';
import type { TenantEntry } from './tenant.entry.js';
import { ASKING_ENTRY } from './tenant.interceptor.js';
import { graphqlRequestOf, isHandshake, isSubscription } from './tenant.request.js';

/**
 * Keeps each of Nest's stages in the scope of its own request, whoever's context it is called in: a callback of a shared
 * socket or pool comes in the context of whoever opened that. Messages begin in a scope of their own, with no tenant.
 */
export class TenantStages implements PipelineStages {
  readonly #context: TenantContext;
  /** Of each list of interceptors (Nest makes one a route): the same, each kept in its scope. */
  readonly #kept = new WeakMap<Interceptors, Interceptors>();

  constructor(readonly entry: TenantEntry) {
    this.#context = entry.context;
  }

  guards<T>(call: PipelineCall, proceed: () => T): T {
    const scope = this.#requestScope(call);
    if (scope) return this.#context.reenter(scope, proceed);
    return this.#isMessage(call) ? this.#context.within(requestScope(false), proceed) : proceed();
  }

  interceptors(
    call: PipelineCall,
    interceptors: Interceptors,
    proceed: (interceptors: Interceptors) => Promise<unknown>,
    execution: () => ExecutionContext,
  ): Promise<unknown> {
    const scope = this.#requestScope(call);
    if (!scope) return this.#isMessage(call) ? this.#message(interceptors, proceed, execution) : proceed(interceptors);
    const run = () => proceed(this.#keptInScope(interceptors));
    return this.#context.reenter(scope, () =>
      this.entry.isToBeAsked(scope) ? this.entry.askAfterGuards(scope, execution()).then(run) : run(),
    );
  }

  /** The own scope of an HTTP request, undefined for what is none. */
  #requestScope({ type, args }: PipelineCall): TenantScope | undefined {
    if (type === 'http') return this.entry.scopeOf(args[0]);
    if (type !== 'graphql' || isSubscription(args)) return undefined;
    const request = graphqlRequestOf(args);
    return request && !isHandshake(request) ? this.entry.scopeOf(request) : undefined;
  }

  /** A message begins without a tenant. What Nest does not know (a library's own type of call) may not inherit a request's. */
  #isMessage({ type, args }: PipelineCall): boolean {
    if (type === 'ws' || type === 'rpc') return true;
    if (type !== 'graphql') return scopeOfRequest(this.#context.scope) !== undefined;
    const request = graphqlRequestOf(args);
    return isSubscription(args) || (request !== undefined && isHandshake(request));
  }

  /** With `TenantInterceptor` among its interceptors, the resolvers are asked for it, before all of them. */
  #message(
    interceptors: Interceptors,
    proceed: (interceptors: Interceptors) => Promise<unknown>,
    execution: () => ExecutionContext,
  ): Promise<unknown> {
    const isAsked = interceptors.some((interceptor) => Reflect.get(interceptor, ASKING_ENTRY) === this.entry);
    const scope = requestScope(isAsked);
    return this.#context.within(scope, async () => {
      if (isAsked) await this.entry.askAtOnce(scope, execution());
      const result = await proceed(this.#keptInScope(interceptors));
      return isObservable(result) ? carry(result, (read) => this.#context.within(scope, read)) : result;
    });
  }

  #keptInScope(interceptors: Interceptors): Interceptors {
    let kept = this.#kept.get(interceptors);
    if (!kept) {
      kept = interceptors.map((interceptor) => this.#inScope(interceptor));
      this.#kept.set(interceptors, kept);
    }
    return kept;
  }

  /** The interceptor, whose `next` is the scope that it itself was called in, in both directions. */
  #inScope(interceptor: NestInterceptor): NestInterceptor {
    const intercept: NestInterceptor['intercept'] = (execution, next) => {
      const { scope } = this.#context;
      return interceptor.intercept(execution, scope ? this.#handlerIn(scope, next) : next);
    };
    return Object.create(interceptor, { intercept: { value: intercept } }) as NestInterceptor;
  }

  #handlerIn(scope: TenantScope, next: CallHandler): CallHandler {
    const context = this.#context;
    const handle = () => {
      const here = context.scope!; // a `run` of the interceptor's own, or the scope
      const source = next.handle();
      const back = <T>(fn: () => T) => (context.scope === here ? fn() : context.within(here, fn));
      return new Observable((subscriber) =>
        back(() =>
          source.subscribe({
            next: (value) => back(() => subscriber.next(value)),
            error: (error) => back(() => subscriber.error(error)),
            complete: () => back(() => subscriber.complete()),
          }),
        ),
      );
    };
    return { handle: () => context.reenter(scope, handle) };
  }
}
