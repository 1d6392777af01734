import type { Change } from './change.types.js';
import type { ResumingStream } from './resuming.stream.js';
import type { ResumeToken } from './resume-token.store.js';
import type { ProcessOptions } from './watch.options.js';

const DEFAULT_RETRY_DELAY_MS = 200;

/** A change in hand. */
interface Entry {
  token: ResumeToken;
  isDone: boolean;
}

/** Where a processor tells what became of a change. */
export interface ProcessListener {
  /** Its handler is done. */
  onProcessed?(change: Change): void;
  /** All changes up to this token are handled. */
  save?(token: ResumeToken): Promise<void>;
}

/**
 * Pulls changes and has each handled before its token is saved, at most `concurrency` at a time. Resolves when the
 * stream has been closed and all in hand are handled.
 * @throws the stream's final error, or the handler's with `onError: 'stop'`
 */
export async function processChanges(
  stream: ResumingStream,
  handler: (change: Change) => unknown,
  { concurrency = 1, retry = { attempts: 1 }, onError = 'stop' }: ProcessOptions,
  { onProcessed, save }: ProcessListener = {},
): Promise<void> {
  const inHand: Entry[] = [];
  const running = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;
  let saving = Promise.resolve();

  const handle = async (change: Change): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return void (await withLease(stream, () => handler(change)));
      } catch (error) {
        if (attempt >= retry.attempts || stream.isClosed) {
          if (onError === 'skip') return;
          throw error;
        }
        const delayMS = (retry.delayMS ?? DEFAULT_RETRY_DELAY_MS) * 2 ** (attempt - 1);
        await new Promise((resolve) => setTimeout(resolve, delayMS));
      }
    }
  };
  const settle = async (entry: Entry): Promise<void> => {
    entry.isDone = true;
    let token: ResumeToken | undefined;
    while (inHand[0]?.isDone) token = inHand.shift()!.token;
    if (token !== undefined && save) await (saving = saving.then(() => save(token)));
  };
  const run = async (change: Change): Promise<void> => {
    const entry = { token: change._id as ResumeToken, isDone: false };
    inHand.push(entry);
    try {
      await handle(change);
      if (failure) return;
      await settle(entry);
      onProcessed?.(change);
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
