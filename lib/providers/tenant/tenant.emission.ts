import type { CallHandler, NestInterceptor } from '@nestjs/common';
import { Observable } from 'rxjs';
import type { Interceptors } from './pipeline.stages.js';
import type { TenantContext, TenantScope } from './tenant.context.js';

/** Interceptors that keep each other, and what they hand on, in the scope that they themselves were called in. */
export class ScopedInterceptors {
  readonly #context: TenantContext;
  /** Of each list of interceptors (Nest makes one a route): the same, each kept in its scope. */
  readonly #kept = new WeakMap<Interceptors, Interceptors>();

  constructor(context: TenantContext) {
    this.#context = context;
  }

  of(interceptors: Interceptors): Interceptors {
    let kept = this.#kept.get(interceptors);
    if (!kept) {
      kept = interceptors.map((interceptor) => this.#inScope(interceptor));
      this.#kept.set(interceptors, kept);
    }
    return kept;
  }

  /** What is called as the request or message of `scope` wherever that is done, and emits there. */
  handlerIn(scope: TenantScope, next: CallHandler): CallHandler {
    const context = this.#context;
    // In a `run` of the interceptor's own, or in the scope.
    const handle = () => emitIn(context, context.scope!, next.handle());
    return { handle: () => context.reenter(scope, handle) };
  }

  /** The interceptor, whose `next` is the scope that it itself was called in, in both directions. */
  #inScope(interceptor: NestInterceptor): NestInterceptor {
    const intercept: NestInterceptor['intercept'] = (execution, next) => {
      const { scope } = this.#context;
      return interceptor.intercept(execution, scope ? this.handlerIn(scope, next) : next);
    };
    return Object.create(interceptor, { intercept: { value: intercept } }) as NestInterceptor;
  }
}

/** What `source` emits, in the scope, wherever it is subscribed to and whoever makes it emit. */
export function emitIn<T>(context: TenantContext, scope: TenantScope, source: Observable<T>): Observable<T> {
  const back = <R>(fn: () => R) => (context.scope === scope ? fn() : context.within(scope, fn));
  return new Observable((subscriber) =>
    back(() =>
      source.subscribe({
        next: (value) => back(() => subscriber.next(value)),
        error: (error) => back(() => subscriber.error(error)),
        complete: () => back(() => subscriber.complete()),
      }),
    ),
  );
}
