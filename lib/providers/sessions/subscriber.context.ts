import { AsyncResource } from 'node:async_hooks';
import { Observable, type Observer } from 'rxjs';
import { outsideTransaction } from './active.transaction.js';
import { captureLeases } from '../pools/pool.lease.js';

/** Made when this file is loaded, so it is nobody's request. */
const NOBODY = new AsyncResource('polymongo');

/** Runs `fn` in no async context: what it starts belongs to no request and to no tenant. */
export const asNobody = <T>(fn: () => T): T => NOBODY.runInAsyncScope(fn);

/**
 * Has `fn` called in the async context of now (the tenant, and what the application keeps in AsyncLocalStorages of its
 * own), whoever causes the call. Not in the transaction of now, nor of the caller; the caller's leases hold for it, too.
 */
export function keepContext<A extends unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
  const resource = new AsyncResource('polymongo.subscriber');
  return function (this: unknown, ...args) {
    const underLeases = captureLeases();
    const call = () => fn.apply(this, args);
    return resource.runInAsyncScope(() => underLeases(() => outsideTransaction(call)));
  };
}

/** An observer that is told in the async context of now. */
export const keepObserver = <T>(observer: Observer<T>): Observer<T> => ({
  next: keepContext((value: T) => observer.next(value)),
  error: keepContext((error: unknown) => observer.error(error)),
  complete: keepContext(() => observer.complete()),
});

/** Has each subscriber told in the async context that it subscribed in. */
export const inSubscribersContext = <T>(source: Observable<T>): Observable<T> =>
  new Observable((subscriber) => source.subscribe(keepObserver(subscriber)));
