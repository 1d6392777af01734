import type { DatabasePool } from '../pools/database.pool.js';
import { within } from '../pools/deadline.js';

/** What a server said within the time there was. */
export interface PingAnswer {
  readonly isAnswered: boolean;
  readonly pingMS?: number;
  readonly reason?: string;
}

/**
 * Asks the servers of an open pool whether they are there. It takes no lease: a probe that comes every few seconds would
 * keep a pool open that is to close when nobody uses it. Anybody may ping, whatever their roles.
 */
export async function ping({ client }: DatabasePool, timeoutMS: number): Promise<PingAnswer> {
  const given = new AbortController();
  const began = performance.now();
  const answer = client
    .db('admin')
    .command({ ping: 1 }, { readPreference: 'primaryPreferred', signal: given.signal })
    .then(
      () => undefined,
      (error: Error) => error,
    );
  if (!(await within(timeoutMS, answer))) {
    given.abort(); // it is not to wait in the driver's queue until the next probe, and the next
    return { isAnswered: false, reason: `no answer to a ping within ${timeoutMS} ms` };
  }
  const error = await answer;
  if (error) return { isAnswered: false, reason: error.name };
  return { isAnswered: true, pingMS: Math.round(performance.now() - began) };
}
