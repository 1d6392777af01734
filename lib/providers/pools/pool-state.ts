import { IllegalPoolTransitionError } from './pool.errors.js';
import type { PoolState } from '../../polymongo.types.js';

/**
 * Which state may follow which.
 *
 * - `cold`: never opened.
 * - `connecting`: the client connects; calls wait.
 * - `connected`: calls run.
 * - `draining`: running work ends, new calls wait for the pool to come back (or fail at shutdown). A pool that was to
 *   make room or to be configured anew goes back to `connected` when its work does not end in time; nothing is cut.
 * - `closed`: no socket is left; the next call opens the pool again.
 */
export const LEGAL_TRANSITIONS: Readonly<Record<PoolState, readonly PoolState[]>> = {
  cold: ['connecting', 'closed'],
  connecting: ['connected', 'closed'],
  connected: ['draining'],
  draining: ['closed', 'connected'],
  closed: ['connecting'],
};

/** @throws IllegalPoolTransitionError when the table does not allow the move */
export function assertTransition(dbName: string, from: PoolState, to: PoolState): void {
  if (!LEGAL_TRANSITIONS[from].includes(to)) throw new IllegalPoolTransitionError(dbName, from, to);
}

/** A pool's state as mongoose's connections say it: an index of `mongoose.STATES`. */
export const READY_STATE = { cold: 0, connecting: 2, connected: 1, draining: 3, closed: 0 } as const satisfies Record<
  PoolState,
  number
>;
