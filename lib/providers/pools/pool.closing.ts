import { within } from './deadline.js';
import type { ShutdownDeadline } from './shutdown.deadline.js';
import { clock } from '../../polymongo.clock.js';

/**
 * How a pool is closed over running work, after it had `shutdownTimeoutMS` to end: `patient` leaves the pool open
 * again, `deadline` cuts the work; `now` does not wait at all.
 */
export type CloseUrgency = 'patient' | 'deadline' | 'now';

/** How long a close may take. */
export interface CloseTimes {
  readonly shutdownTimeoutMS: number;
  /** Set when everything is being closed. */
  readonly shutdownDeadline: ShutdownDeadline | undefined;
}

/** How long disconnect hooks have when the pool is closed by force. */
const FORCED_FAREWELL_MS = 1_000;
const URGENCIES: readonly CloseUrgency[] = ['patient', 'deadline', 'now'];

/** One close of a pool: as urgent as the most urgent of those who asked for it, and what it waits for meanwhile. */
export class PoolClosing {
  #urgency: CloseUrgency;
  #isSayingFarewell = false;
  #by = 0;
  #wake: (() => void) | undefined;
  #done: Promise<boolean> = Promise.resolve(false);

  /** @param reason for hooks and logs */
  constructor(
    readonly reason: string,
    urgency: CloseUrgency,
    readonly times: CloseTimes,
  ) {
    this.#urgency = urgency;
    this.#setDeadline();
  }

  /** Resolves with whether the pool is closed; only a patient close can fail. */
  get done(): Promise<boolean> {
    return this.#done;
  }

  get isPatient(): boolean {
    return this.#urgency === 'patient';
  }

  start(close: (closing: this) => Promise<boolean>): void {
    this.#done = close(this);
  }

  /** Somebody else asks for the same close. What is more urgent counts, and during a shutdown its deadline. */
  urge(urgency: CloseUrgency): void {
    const isMoreUrgent = URGENCIES.indexOf(urgency) > URGENCIES.indexOf(this.#urgency);
    if (!isMoreUrgent && !this.times.shutdownDeadline) return;
    if (isMoreUrgent) this.#urgency = urgency;
    this.#setDeadline();
    this.wake();
  }

  /** What is waited for may have come. */
  wake(): void {
    this.#wake?.();
  }

  /** Waits until `isDone`, or until the time that the most urgent who asked leaves is over. */
  async waitUntil(isDone: () => boolean): Promise<void> {
    for (;;) {
      const leftMS = this.#by - clock.now();
      if (isDone() || leftMS <= 0) break;
      await within(leftMS, new Promise<void>((resolve) => (this.#wake = resolve)));
    }
    this.#wake = undefined;
  }

  /** Waits for what those who use the pool do at its end, which has a time of its own. */
  async waitForFarewell(farewell: Promise<void>): Promise<void> {
    let isOver = false;
    const end = () => {
      isOver = true;
      this.wake();
    };
    farewell.then(end, end);
    this.#isSayingFarewell = true;
    this.#setDeadline();
    await this.waitUntil(() => isOver);
    this.#isSayingFarewell = false;
  }

  #setDeadline(): void {
    const { shutdownDeadline, shutdownTimeoutMS } = this.times;
    const { workBy, farewellBy } = shutdownDeadline ?? {};
    const by = (this.#isSayingFarewell ? farewellBy : workBy) ?? clock.now() + shutdownTimeoutMS;
    const forcedMS = this.#isSayingFarewell ? FORCED_FAREWELL_MS : 0;
    this.#by = this.#urgency === 'now' ? Math.min(clock.now() + forcedMS, by) : by;
  }
}
