import type { Change } from './change.types.js';
import type { ResumeToken } from './resume-token.store.js';
import type { ResumingStream } from './resuming.stream.js';
import type { TrackedStream } from './stored.token.js';
import type { ProcessOptions } from './watch.options.js';

const DEFAULT_RETRY_DELAY_MS = 200;

/** A change in hand. */
interface Entry {
  token: ResumeToken;
  isDone: boolean;
}

/**
 * Pulls changes and has each handled before its token is saved, at most `concurrency` at a time. Resolves when the
 * stream has been closed and all in hand are handled. A change whose handler failed while the stream was being closed
 * counts as not handled, whatever `onError` says: it comes again.
 * @param onProcessed called when a change's handler is done
 * @throws the stream's final error, or the handler's with `onError: 'stop'`
 */
export async function processChanges(
  { stream, keeper }: TrackedStream,
  handler: (change: Change) => unknown,
  { concurrency = 1, retry = { attempts: 1 }, onError = 'stop' }: ProcessOptions,
  onProcessed: (change: Change) => void = () => {},
): Promise<void> {
  const inHand: Entry[] = [];
  const running = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;

  /** Says whether the change is done with. */
  const handle = async (change: Change): Promise<boolean> => {
    for (let attempt = 1; ; attempt++) {
      try {
        await withLease(stream, () => handler(change));
        return true;
      } catch (error) {
        const isLast = attempt >= retry.attempts;
        if (!isLast) await stream.pause((retry.delayMS ?? DEFAULT_RETRY_DELAY_MS) * 2 ** (attempt - 1));
        if (!isLast && !stream.isClosed) continue;
        if (onError === 'stop') throw error;
        return !stream.isClosed;
      }
    }
  };
  const settle = async (entry: Entry): Promise<void> => {
    entry.isDone = true;
    let token: ResumeToken | undefined;
    while (inHand[0]?.isDone) token = inHand.shift()!.token;
    if (token !== undefined && keeper) await withLease(stream, () => keeper.keep(token));
  };
  const run = async (change: Change): Promise<void> => {
    const entry = { token: change._id as ResumeToken, isDone: false };
    inHand.push(entry);
    try {
      if (!(await handle(change)) || failure) return;
      await settle(entry);
      onProcessed(change);
    } catch (error) {
      failure ??= { error };
      void stream.close(); // somebody may be waiting for its next change
    }
  };

  try {
    while (!failure) {
      const change = await stream.next();
      if (!change) break;
      const work: Promise<void> = run(change).finally(() => running.delete(work));
      running.add(work);
      if (running.size >= concurrency) await Promise.race(running);
    }
  } finally {
    await Promise.all(running);
    if (keeper) await withLease(stream, () => keeper.flush());
    await stream.close();
  }
  if (failure) throw (failure as { error: unknown }).error;
}

/** What a handler calls is part of running work: it is let in while the pool drains. */
async function withLease<T>({ database }: ResumingStream, fn: () => T): Promise<Awaited<T>> {
  const { pool } = database;
  if (pool.state !== 'connected') return await fn();
  const lease = pool.lease('operation', database);
  try {
    return await lease.during(fn);
  } finally {
    lease.release();
  }
}
