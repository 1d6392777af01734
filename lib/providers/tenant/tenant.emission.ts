import { AsyncResource } from 'node:async_hooks';
import type { CallHandler, NestInterceptor } from '@nestjs/common';
import { Observable } from 'rxjs';
import { transactionsAround } from '../sessions/active.transaction.js';
import { currentWork } from '../sessions/current.work.js';
import type { Interceptors } from './pipeline.stages.js';
import type { Within } from './tenant.carrier.js';
import { scopeOfRequest, type TenantContext } from './tenant.context.js';

/** Interceptors that keep each other, and what they hand on, in the context that they themselves were called in. */
export class ScopedInterceptors {
  readonly #context: TenantContext;
  /** Of each list of interceptors (Nest makes one a route): the same, each kept in its context. */
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

  /** What is called as the current request or message wherever that is done, and emits there. */
  handlerHere(next: CallHandler): CallHandler {
    const context = this.#context;
    const { scope } = context;
    if (!scope) return next;
    const work = currentWork();
    const transactions = transactionsAround();
    const here = new AsyncResource('polymongo.stage');
    /** In a `run` or transaction of the interceptor's own, or where it was called. */
    const isOwn = () => {
      if (scopeOfRequest(context.scope) !== scopeOfRequest(scope) || currentWork() !== work) return false;
      const around = transactionsAround();
      const isSame = around.length === transactions.length && around.every((one, i) => one === transactions[i]);
      return isSame || (around.length > 0 && !around.some(({ isOver }) => isOver));
    };
    const handle = () => emitHere(context, next.handle());
    return { handle: () => (isOwn() ? handle() : here.runInAsyncScope(handle)) };
  }

  /** The interceptor, whose `next` is where it itself was called, in both directions. */
  #inScope(interceptor: NestInterceptor): NestInterceptor {
    const intercept: NestInterceptor['intercept'] = (execution, next) =>
      interceptor.intercept(execution, this.handlerHere(next));
    return Object.create(interceptor, { intercept: { value: intercept } }) as NestInterceptor;
  }
}

/** What `source` emits, in the context of now, wherever it is subscribed to and whoever makes it emit. */
export function emitHere<T>(context: TenantContext, source: Observable<T>): Observable<T> {
  const { scope } = context;
  const work = currentWork();
  const here = new AsyncResource('polymongo.emission');
  const back: Within = (fn) => (context.scope === scope && currentWork() === work ? fn() : here.runInAsyncScope(fn));
  return emitIn(back, source);
}

/** What `source` emits, subscribed to and emitted in one place. */
export const emitIn = <T>(within: Within, source: Observable<T>): Observable<T> =>
  new Observable((subscriber) =>
    within(() =>
      source.subscribe({
        next: (value) => within(() => subscriber.next(value)),
        error: (error) => within(() => subscriber.error(error)),
        complete: () => within(() => subscriber.complete()),
      }),
    ),
  );
