import { isDoc, type Value } from '../bson/value.js';
import type { QueryEnv } from './env.js';

/** How much may be done before somebody looks whether the command has to end: some milliseconds at most. */
const LOOK_AFTER = 8192;
/** So many characters are as much work as an element. */
const CHARACTERS = 16;

let done = 0;

/**
 * Notes work that was done, or will be at once; 1 is about one element of an array.
 * @throws CommandError when the command has to end
 */
export function spend(env: QueryEnv, work: number): void {
  done += work;
  if (done < LOOK_AFTER) return;
  done = 0;
  env.checkInterrupt();
}

/** How much work it is to go over a value once, without what its elements hold. */
export function workOf(value: Value | undefined): number {
  if (typeof value === 'string') return 1 + value.length / CHARACTERS;
  if (typeof value !== 'object') return 1;
  return Array.isArray(value) ? 1 + value.length : isDoc(value) ? 1 + value.size : 1;
}

/** An order of values, that notes each comparison as work. */
export const spending =
  <T>(env: QueryEnv, order: (a: T, b: T) => number) =>
  (a: T, b: T): number => {
    spend(env, 2);
    return order(a, b);
  };
