import { clock } from '../../polymongo.clock.js';

/** How much of a pool one database may have. */
export interface ShareTerms {
  /** Commands under way at once, at most. */
  readonly maxInFlight: number;
  /** Calls that wait, at most. */
  readonly maxWaiting: number;
  /** How many of its waiting calls are served in a row when it is its turn. */
  readonly weight: number;
  /** What a call is refused with when as many wait as may. */
  refusal(waiting: number): Error;
}

const UNBOUNDED: ShareTerms = {
  maxInFlight: Infinity,
  maxWaiting: Infinity,
  weight: 1,
  refusal: () => new Error('never'),
};

/** What one database has of the sockets of its pool, and had to wait for. */
export class PoolShare {
  terms: ShareTerms = UNBOUNDED;
  /** Commands under way. */
  inFlight = 0;
  /** Calls that wait for their turn. */
  waiting = 0;
  /** Calls that were refused, because too many waited or they had waited too long. */
  refused = 0;
  /** How long calls have waited altogether. */
  waitedMS = 0;
  #heldUpAt = -Infinity;

  /** A call has waited or was refused. */
  noteHeldUp(): void {
    this.#heldUpAt = clock.now();
  }

  /** It has commands under way or waiting, or a call of it waited or was refused in the last so many ms. */
  isActive(withinMS: number): boolean {
    return this.inFlight + this.waiting > 0 || clock.now() - this.#heldUpAt < withinMS;
  }

  /** No further command of it may begin. */
  get isUsedUp(): boolean {
    return this.inFlight >= this.terms.maxInFlight;
  }
}
