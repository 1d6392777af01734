import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until `read` gives something truthy, and gives it back; an error of it counts as not yet. Jest's timeout ends it. */
export async function waitFor<T>(read: () => T | Promise<T>): Promise<Exclude<T, false | null | undefined>> {
  for (;;) {
    const value = await Promise.resolve()
      .then(read)
      .catch(() => undefined);
    if (value) return value as Exclude<T, false | null | undefined>;
    await sleep(5);
  }
}
