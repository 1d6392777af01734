import { setImmediate as turn } from 'node:timers/promises';
import { systemClock, useClock, type Clock, type Timer } from '../polymongo.clock.js';

interface Pending extends Timer {
  readonly fn: () => void;
  readonly everyMS: number | undefined;
  /** In ms since 1970, by this clock. */
  dueMS: number;
  native: Timer | undefined;
  isKept: boolean;
}

/**
 * A clock that only PolyMongo reads: what closes idle pools, forgets answers, waits before it tries again and renews leases. It goes
 * on as time does, and jumps when it is told to. Timers of the driver and of everything else are as they were, so that
 * operations go on: faked ones (`jest.useFakeTimers()`) would stop them.
 *
 * @example
 * const clock = TestClock.install(); // before the application
 * await clock.advance(60_000); // pools that were to close after a minute of quiet do
 * clock.uninstall();
 */
export class TestClock {
  readonly #pending = new Set<Pending>();
  #aheadMS = 0;

  private constructor() {}

  /** Has PolyMongo go by a clock of the test's own, from now on. Timers that run already go on by the system's. */
  static install(): TestClock {
    const made = new TestClock();
    useClock(made.#clock());
    return made;
  }

  /** Has PolyMongo go by the system's clock again; what is pending comes when it would have. */
  uninstall(): void {
    useClock(systemClock);
  }

  /** How many timers of PolyMongo are waiting. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * Lets time pass: what was to happen within it happens now, one after the other, and what that asks for within it as well. What it
   * began with a server may still be on its way.
   * @param ms at least 0
   */
  async advance(ms: number): Promise<void> {
    const untilMS = this.#nowMS() + ms;
    for (let next = this.#first(); next && next.dueMS <= untilMS; next = this.#first()) {
      this.#aheadMS += Math.max(0, next.dueMS - this.#nowMS());
      this.#fire(next);
      await turn();
    }
    this.#aheadMS += Math.max(0, untilMS - this.#nowMS());
    for (const timer of this.#pending) this.#arm(timer);
    await turn();
  }

  #nowMS(): number {
    return systemClock.now() + this.#aheadMS;
  }

  #first(): Pending | undefined {
    let first: Pending | undefined;
    for (const timer of this.#pending) if (!first || timer.dueMS < first.dueMS) first = timer;
    return first;
  }

  #clock(): Clock {
    return {
      now: () => this.#nowMS(),
      monotonic: () => systemClock.monotonic() + this.#aheadMS,
      setTimeout: (fn, inMS) => this.#add(fn, inMS),
      setInterval: (fn, everyMS) => this.#add(fn, everyMS, everyMS),
      clear: (timer) => this.#clear(timer),
    };
  }

  #add(fn: () => void, inMS: number, everyMS?: number): Pending {
    const timer: Pending = {
      fn,
      everyMS,
      dueMS: this.#nowMS() + inMS,
      native: undefined,
      isKept: true,
      unref: () => {
        timer.isKept = false;
        timer.native?.unref();
        return timer;
      },
    };
    this.#pending.add(timer);
    this.#arm(timer);
    return timer;
  }

  #arm(timer: Pending): void {
    systemClock.clear(timer.native);
    timer.native = systemClock.setTimeout(() => this.#fire(timer), Math.max(0, timer.dueMS - this.#nowMS()));
    if (!timer.isKept) timer.native.unref();
  }

  #fire(timer: Pending): void {
    if (timer.everyMS === undefined) this.#clear(timer);
    else {
      timer.dueMS += Math.max(1, timer.everyMS);
      this.#arm(timer);
    }
    timer.fn();
  }

  /** One of another clock's was there before this one. */
  #clear(timer: Timer | undefined): void {
    if (timer && this.#pending.delete(timer as Pending)) systemClock.clear((timer as Pending).native);
    else systemClock.clear(timer);
  }
}
