import { isDoc, type Value } from './value.js';

/** How much may be done before somebody looks whether the command has to end: some milliseconds at most. */
const LOOK_AFTER = 8192;
/** So many characters or bytes are as much work as an element. */
const CHARACTERS = 16;

/** How long a scan may keep others from their turn. */
const SLICE_MS = 10;

let done = 0;
let checkpoint: (() => void) | undefined;
let sliceEndMS = Infinity;
let isDue = false;

/**
 * Runs synchronous work that `check` may end by throwing: whatever notes its work with {@link spend} asks it now and
 * then. There is one command at a time that computes, so no loop has to be handed what may end it.
 */
export function interruptible<T>(check: (() => void) | undefined, work: () => T): T {
  const outer = checkpoint;
  checkpoint = check;
  try {
    return work();
  } finally {
    checkpoint = outer;
  }
}

/** Runs work that has to come to its end once begun, such as a commit. */
export const uninterrupted = <T>(work: () => T): T => interruptible(undefined, work);

/**
 * Notes work that was done, or will be at once; 1 is about one element of an array. Every loop calls it whose length a
 * client chooses.
 * @throws CommandError when the running command has to end
 */
export function spend(work: number): void {
  done += work;
  if (done < LOOK_AFTER) return;
  done = 0;
  checkpoint?.();
  if (performance.now() > sliceEndMS) isDue = true;
}

/** Runs work that can stop in its midst: {@link isPauseDue} tells it when it has had its time. */
export function sliced<T>(work: () => T): T {
  sliceEndMS = performance.now() + SLICE_MS;
  try {
    return work();
  } finally {
    sliceEndMS = Infinity;
    isDue = false;
  }
}

/** Whether others should have their turn. Never outside of {@link sliced}. */
export const isPauseDue = (): boolean => isDue;

/** Looks at once. @throws CommandError when the running command has to end */
export const checkInterrupt = (): void => checkpoint?.();

/** How much work it is to go over so many characters or bytes. */
export const workOfLength = (length: number): number => 1 + length / CHARACTERS;

/** How much work it is to go over a value once, without what its elements hold. */
export function workOf(value: Value | undefined): number {
  if (typeof value === 'string') return workOfLength(value.length);
  if (typeof value !== 'object') return 1;
  return Array.isArray(value) ? 1 + value.length : isDoc(value) ? 1 + value.size : 1;
}
