import { Observable, Subscriber, type Observer, type Subscription } from 'rxjs';
import { PacedObserver } from './paced.observer.js';

/** How a change stream is run for one consumer. */
export interface ChangeProducer<C> {
  readonly sourceName: string;
  readonly bufferSize: number;
  /** Told what a subscriber's handler failed with. */
  report(error: unknown): void;
  /** Runs a stream into a subscriber; gives what ends it. */
  push(subscriber: Subscriber<C>): () => void;
  /** Runs a stream that is pulled. */
  pull(): AsyncIterableIterator<C>;
}

/**
 * Changes, as they happen. Cold: each subscription and each `for await` has a stream of its own, unless shared. A
 * subscriber's handler that gives back a promise gets one change at a time, and may fall `bufferSize` changes behind;
 * `for await` fetches a change when it is asked for one and cannot fall behind. A handler that fails is told to
 * `onDbError`, and gets the next change all the same.
 */
export class ChangeObservable<C> extends Observable<C> implements AsyncIterable<C> {
  readonly #producer: ChangeProducer<C>;

  /** @internal Made by `watch$`. */
  constructor(producer: ChangeProducer<C>) {
    super((subscriber) => producer.push(subscriber));
    this.#producer = producer;
  }

  /**
   * Begins to watch; unsubscribing closes the change stream on the server.
   * @param observerOrNext a handler that gives back a promise is given one change at a time
   */
  override subscribe(observerOrNext?: Partial<Observer<C>> | ((value: C) => void) | null): Subscription;
  /**
   * As the other, with functions for each.
   * @deprecated as RxJS has it: give an observer instead
   */
  override subscribe(
    next?: ((value: C) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription;
  override subscribe(
    next?: Partial<Observer<C>> | ((value: C) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    if (next instanceof Subscriber) return super.subscribe(next);
    const observer: Partial<Observer<C>> =
      typeof next === 'object' && next !== null
        ? next
        : { ...(next && { next }), ...(error && { error }), ...(complete && { complete }) };
    const { sourceName, bufferSize } = this.#producer;
    const paced = new PacedObserver(observer, sourceName, bufferSize, (error) => this.#producer.report(error));
    const subscription = super.subscribe(paced);
    paced.subscription = subscription;
    subscription.add(() => paced.stop());
    return subscription;
  }

  /** Watches, and fetches a change when it is asked for one; leaving the loop closes the change stream on the server. */
  [Symbol.asyncIterator](): AsyncIterableIterator<C> {
    return this.#producer.pull();
  }
}
