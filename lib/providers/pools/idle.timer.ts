import { type Timer, clock } from '../../polymongo.clock.js';

/**
 * Says when nothing has been in use for a time. Starting and pausing cost no more than noting the time, as both happen
 * with every operation: one timer runs on, and when it goes off too early it is set for what is left.
 */
export class IdleTimer {
  #timer: Timer | undefined;
  /** When the time began, in ms since 1970; undefined while something is in use. */
  #since: number | undefined;

  /** @param onIdle called when {@link start} was `afterMS` ago and nothing has been in use since */
  constructor(
    readonly afterMS: number,
    readonly onIdle: () => void,
  ) {}

  /** Nothing is in use any more: the time begins. */
  start(): void {
    this.#since = clock.now();
    if (!this.#timer) this.#arm(this.afterMS);
  }

  /** Something is in use. */
  pause(): void {
    this.#since = undefined;
  }

  /** Lets no timer run on. {@link start} begins again. */
  stop(): void {
    this.#since = undefined;
    clock.clear(this.#timer);
    this.#timer = undefined;
  }

  #arm(inMS: number): void {
    this.#timer = clock.setTimeout(() => this.#onTimer(), inMS);
    this.#timer.unref();
  }

  #onTimer(): void {
    this.#timer = undefined;
    if (this.#since === undefined) return;
    const leftMS = this.#since + this.afterMS - clock.now();
    if (leftMS > 0) this.#arm(leftMS);
    else this.onIdle();
  }
}
