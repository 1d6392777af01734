import type { Observer, Subscription } from 'rxjs';
import { ChangeBufferOverflowError } from './change-stream.errors.js';

/**
 * Stands before a subscriber whose `next` may give back a promise: the next change waits for it, in a buffer with a
 * bound, since RxJS has no way to tell a source to wait. A handler that throws or rejects is told of, and gets the next;
 * so is an error that nobody handles: RxJS would end the process with it.
 */
export class PacedObserver<T> implements Observer<T> {
  readonly #buffer: T[] = [];
  #isBusy = false;
  #isEnding = false;
  #end: (() => void) | undefined;
  subscription: Subscription | undefined;

  /** @param report told what a handler failed with, or the stream, where no handler is for it */
  constructor(
    readonly observer: Partial<Observer<T>>,
    readonly sourceName: string,
    readonly bufferSize: number,
    readonly report: (error: unknown) => void,
  ) {}

  next(value: T): void {
    if (!this.#isBusy) return this.#deliver(value);
    if (this.#buffer.length < this.bufferSize) {
      this.#buffer.push(value);
      return;
    }
    this.#buffer.length = 0;
    this.#isBusy = false;
    this.subscription?.unsubscribe();
    this.#fail(new ChangeBufferOverflowError(this.sourceName, this.bufferSize));
  }

  error(error: unknown): void {
    this.#finish(() => this.#fail(error));
  }

  complete(): void {
    this.#finish(() => void this.#tell(() => this.observer.complete?.()));
  }

  /** The subscriber has left: what waits is dropped. When the stream has ended, it is still delivered. */
  stop(): void {
    if (!this.#isEnding) this.#buffer.length = 0;
  }

  #fail(error: unknown): void {
    if (this.observer.error) void this.#tell(() => this.observer.error!(error));
    else this.report(error);
  }

  /** Nobody waits for what a handler of the end gives back. */
  async #tell(handler: () => unknown): Promise<void> {
    try {
      await handler();
    } catch (error) {
      this.report(error);
    }
  }

  #finish(end: () => void): void {
    this.#isEnding = true;
    if (this.#isBusy) this.#end = end;
    else end();
  }

  #deliver(value: T): void {
    try {
      const result: unknown = this.observer.next?.(value);
      if (!isPromise(result)) return;
      this.#isBusy = true;
      void this.#wait(result);
    } catch (error) {
      this.report(error);
    }
  }

  async #wait(result: PromiseLike<unknown>): Promise<void> {
    try {
      await result;
    } catch (error) {
      this.report(error);
    }
    this.#isBusy = false;
    while (!this.#isBusy && this.#buffer.length > 0) this.#deliver(this.#buffer.shift()!);
    if (!this.#isBusy) this.#end?.();
  }
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
