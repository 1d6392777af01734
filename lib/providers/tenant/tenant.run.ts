import { Observable } from 'rxjs';
import { endedBy, observe, type TenantResult } from './tenant.fan-out.js';

/**
 * Work on many tenants that has not begun: it begins when it is awaited, iterated or subscribed to. Awaited it gives all
 * results; each `for await` and each subscription runs it anew, and ends it when it is left.
 */
export class TenantRun<T>
  extends Observable<TenantResult<T>>
  implements PromiseLike<TenantResult<T>[]>, AsyncIterable<TenantResult<T>>
{
  readonly #start: (signal: AbortSignal) => AsyncGenerator<TenantResult<T>, void, undefined>;
  #results: Promise<TenantResult<T>[]> | undefined;

  /** @internal @param start given a signal that ends it @param given what ends it, too: the signal of the options */
  constructor(start: (signal: AbortSignal) => AsyncGenerator<TenantResult<T>, void, undefined>, given?: AbortSignal) {
    const begin = (stop: AbortSignal) => start(endedBy(stop, given));
    super((subscriber) => observe(begin).subscribe(subscriber));
    this.#start = begin;
  }

  /**
   * Begins the work and gives each result when it is there; leaving the loop stops it.
   * @throws TenantTaskError at the first error, unless `onError` is `collect`
   */
  [Symbol.asyncIterator](): AsyncGenerator<TenantResult<T>, void, undefined> {
    return this.#start(new AbortController().signal);
  }

  /**
   * Begins the work, the first time, and gives all results; awaiting it again gives the same ones.
   * @throws TenantTaskError at the first error, unless `onError` is `collect`
   */
  then<R = TenantResult<T>[], E = never>(
    onFulfilled?: ((results: TenantResult<T>[]) => R | PromiseLike<R>) | null,
    onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return (this.#results ??= this.#collect()).then(onFulfilled, onRejected);
  }

  async #collect(): Promise<TenantResult<T>[]> {
    const results: TenantResult<T>[] = [];
    for await (const result of this) results.push(result);
    return results;
  }
}
