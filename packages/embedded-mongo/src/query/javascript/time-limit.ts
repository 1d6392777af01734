import { createContext, Script } from 'node:vm';
import { CommandError } from '../../errors.js';

/** How many milliseconds an operation has left; Infinity without a `maxTimeMS`. */
export type TimeLeft = () => number;

const TIMED_OUT = 'ERR_SCRIPT_EXECUTION_TIMEOUT';
const context = createContext({});
const CALLER = new Script('work()');

export const isTimeout = (error: unknown): boolean => (error as { code?: unknown } | undefined)?.code === TIMED_OUT;

/** What is left for one call: the time of its operation, but no more than `mostMS`; a whole number over 0. */
export const timeoutFor = (left: TimeLeft | undefined, mostMS: number): number =>
  Math.max(1, Math.ceil(Math.min(left?.() ?? Infinity, mostMS)));

/** @throws CommandError MaxTimeMSExpired (50) when the operation has no time left */
export function assertTimeLeft(left: TimeLeft | undefined): void {
  if ((left?.() ?? Infinity) <= 0) throw expired();
}

/**
 * After a call that {@link timeoutFor} ended: the watching thread's clock may be ahead of ours, so what it was given decides.
 * @throws CommandError MaxTimeMSExpired (50) if it was the operation's time that ended it
 */
export function assertOwnLimit(timeoutMS: number, mostMS: number): void {
  if (timeoutMS < mostMS) throw expired();
}

const expired = () => new CommandError('MaxTimeMSExpired', 'operation exceeded time limit');

/**
 * Runs work that nothing else can interrupt, such as the search of a regular expression, and ends it after `timeoutMS`.
 * Costs a thread that watches the clock, some tenths of a millisecond.
 * @throws an error that `isTimeout` knows
 */
export function timed<T>(work: () => T, timeoutMS: number): T {
  context['work'] = work;
  try {
    return CALLER.runInContext(context, { timeout: timeoutMS }) as T;
  } finally {
    context['work'] = undefined;
  }
}
