/** What is to happen later. */
export interface Timer {
  /** The process need not go on for it. Gives itself. */
  unref(): Timer;
}

/** Where the time comes from, and what calls back when it has come. All waits of this package go by it. */
export interface Clock {
  /** In ms since 1970. */
  now(): number;
  /** In ms since some moment; never set back. */
  monotonic(): number;
  setTimeout(fn: () => void, inMS: number): Timer;
  setInterval(fn: () => void, everyMS: number): Timer;
  /** Takes back what {@link setTimeout} or {@link setInterval} gave. */
  clear(timer: Timer | undefined): void;
}

/** Node's own. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (fn, inMS) => setTimeout(fn, inMS),
  setInterval: (fn, everyMS) => setInterval(fn, everyMS),
  clear: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
};

/** One a process, in the ESM and the CommonJS build. */
const CURRENT = Symbol.for('nestjs-polymongo:clock');
const current = ((globalThis as Record<symbol, unknown>)[CURRENT] ??= { clock: systemClock }) as { clock: Clock };

/** The clock of this process: Node's, unless a test has put its own there. */
export const clock: Clock = {
  now: () => current.clock.now(),
  monotonic: () => current.clock.monotonic(),
  setTimeout: (fn, inMS) => current.clock.setTimeout(fn, inMS),
  setInterval: (fn, everyMS) => current.clock.setInterval(fn, everyMS),
  clear: (timer) => current.clock.clear(timer),
};

/** Has everything go by another clock from now on. */
export function useClock(other: Clock): void {
  current.clock = other;
}

/** Waits for a time. @throws what `signal` is aborted with, as soon as it is */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clock.clear(timer);
      reject(signal!.reason as Error);
    };
    if (signal?.aborted) return reject(signal.reason as Error);
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
