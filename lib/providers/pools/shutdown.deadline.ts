import { clock } from '../../polymongo.clock.js';

/** What is kept of the time for disconnect hooks and for closing sockets: a fifth, no more than this. */
const MAX_RESERVE_MS = 2_000;

export const reserveOf = (timeoutMS: number): number => Math.min(MAX_RESERVE_MS, timeoutMS / 5);

/** The one deadline of a shutdown, for all its phases together. Times are in ms since 1970. */
export class ShutdownDeadline {
  /** When sockets are cut. */
  readonly endBy: number;
  /** When hooks are left behind. */
  readonly farewellBy: number;
  /** When running work is cut. */
  readonly workBy: number;

  /** @param spentMS what an earlier phase has used of the time */
  constructor(timeoutMS: number, spentMS: number) {
    const reserveMS = reserveOf(timeoutMS);
    this.endBy = clock.now() + Math.max(timeoutMS - spentMS, reserveMS);
    this.farewellBy = this.endBy - reserveMS / 2;
    this.workBy = this.endBy - reserveMS;
  }
}
