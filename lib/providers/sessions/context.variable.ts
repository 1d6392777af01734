import { AsyncLocalStorage } from 'node:async_hooks';

/** A value for each variable, by its number. Never changed: another value is in another frame. */
type Frame = readonly unknown[];

/** The one of this package: on Node 20 each storage in use costs something with every promise of the process. */
const storage = new AsyncLocalStorage<Frame | undefined>();
const NOTHING: Frame = [];
let count = 0;

/** Something that code carries along through promises, timers and events, as an AsyncLocalStorage of its own would. */
export class ContextVariable<T> {
  readonly #number = count++;

  /** What the current code carries; undefined where nobody gave it anything. */
  get(): T | undefined {
    return storage.getStore()?.[this.#number] as T | undefined;
  }

  /** Runs `fn`, and what it starts, with this value. */
  run<R>(value: T | undefined, fn: () => R): R {
    return this.get() === value ? fn() : storage.run(this.#frameWith(value), fn);
  }

  /** Has what goes on here carry this value from now on, also in whoever called this. */
  goOnWith(value: T | undefined): void {
    storage.enterWith(this.#frameWith(value));
  }

  #frameWith(value: T | undefined): Frame {
    const frame = [...(storage.getStore() ?? NOTHING)];
    frame[this.#number] = value;
    return frame;
  }
}
