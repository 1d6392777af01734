import { setImmediate as turn } from 'node:timers/promises';

/** Lets the event loop turn so many times: what is ready comes first, however long that takes. */
export async function turns(count = 1): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}
