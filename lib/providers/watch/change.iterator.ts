import type { Change } from './change.types.js';
import type { TrackedStream } from './stored.token.js';

/** Fetches a change when it is asked for one. The change before it counts as handled then, and its token is saved. */
export class ChangeIterator implements AsyncIterableIterator<Change> {
  readonly #tracked: TrackedStream;
  #handled: Change | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(tracked: TrackedStream) {
    this.#tracked = tracked;
  }

  next(): Promise<IteratorResult<Change, undefined>> {
    const result = this.#last.then(() => this.#next());
    this.#last = result.catch(() => {});
    return result;
  }

  /** Ends the stream, also while a `next()` waits. */
  async return(): Promise<IteratorResult<Change, undefined>> {
    await this.#tracked.stream.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #next(): Promise<IteratorResult<Change, undefined>> {
    const { stream, keeper } = this.#tracked;
    try {
      if (this.#handled) await keeper?.save(this.#handled._id);
      this.#handled = undefined;
      const value = await stream.next();
      if (!value) return { done: true, value };
      this.#handled = value;
      return { done: false, value };
    } catch (error) {
      await stream.close();
      throw error;
    }
  }
}
