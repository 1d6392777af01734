import { type Timer, clock } from '../../polymongo.clock.js';

/**
 * Waits for `work`, but no longer than `timeoutMS`; says whether it was done in time. Errors of `work` pass on. The
 * timer does not keep the process: what is waited for is done by sockets, which do.
 */
export async function within(timeoutMS: number, work: Promise<unknown>): Promise<boolean> {
  let timer: Timer | undefined;
  const deadline = new Promise<false>((resolve) => {
    timer = clock.setTimeout(() => resolve(false), timeoutMS);
    timer.unref();
  });
  try {
    return await Promise.race([work.then(() => true as const), deadline]);
  } finally {
    clock.clear(timer);
  }
}
