import { Observable } from 'rxjs';
import { checkOptions, checks, oneOf, type Checks } from '../../polymongo.checks.js';
import { TenantTaskError } from './tenant-work.errors.js';

/** How the work on one tenant ended, and how many of all are done with it. */
export type TenantResult<T> = { readonly tenantId: string; readonly done: number; readonly total: number } & (
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown }
);

/** Which tenants to work on, and how. */
export interface ForEachOptions {
  /**
   * Tenants at the same time at most; a whole number or Infinity. Default 4; fewer where `maxTotalConnections` has no room
   * for the pools of so many.
   */
  concurrency?: number;
  /** Stops it: no further tenant begins, and the running ones are told by the signal that they are given. */
  signal?: AbortSignal;
  /** `stop` (default): the first error ends it, with a TenantTaskError. `collect`: errors are results. */
  onError?: 'stop' | 'collect';
  /** Which tenants, each once. Default: all that `list()` gives. */
  tenants?: readonly string[];
  /** Called after each tenant. Nobody waits for what it returns; where it throws or rejects, `onDbError` is told. */
  onProgress?: (progress: { done: number; failed: number; total: number }) => unknown;
}

const FOR_EACH_CHECKS: Checks<ForEachOptions> = {
  concurrency: {
    allowed: 'a whole number of at least 1, or Infinity',
    accepts: (v) => v === Infinity || checks.positiveInteger.accepts(v),
  },
  signal: checks.abortSignal,
  onError: oneOf('stop', 'collect'),
  tenants: checks.array,
  onProgress: checks.function,
};

/** @throws PolyMongoOptionsError */
export function checkForEachOptions(options: ForEachOptions): void {
  checkOptions('forEach.', options, FOR_EACH_CHECKS);
}

/** What a task is given beside the tenant's id. */
export interface TenantTaskContext {
  /** Aborted when the work is to stop: by `signal` of the options, by an error, or because nobody reads the results. */
  readonly signal: AbortSignal;
}

/** What is done as each tenant, in its context. What it gives, or throws, is the tenant's result. */
export type TenantTask<T> = (tenantId: string, context: TenantTaskContext) => T | Promise<T>;

/**
 * Works on tenants, some at a time, and gives each result when it is there. Whoever stops reading stops the work; it
 * always ends after the tasks that have begun. No tenant is named twice.
 * @throws TenantTaskError; the signal's reason
 */
export async function* fanOut<T>(
  tenants: readonly string[],
  task: TenantTask<T>,
  { concurrency = 4, signal, onError = 'stop', onProgress }: ForEachOptions,
): AsyncGenerator<TenantResult<T>, void, undefined> {
  const total = tenants.length;
  const stop = new AbortController();
  const context = { signal: endedBy(stop.signal, signal) };
  const running = new Map<string, Promise<Settled<T>>>();
  const waiting = tenants.values();
  let done = 0;
  let failed = 0;

  const fill = (): void => {
    while (running.size < concurrency && !context.signal.aborted) {
      const { value: tenantId } = waiting.next();
      if (tenantId === undefined) return;
      running.set(tenantId, settle(tenantId, task, context));
    }
  };
  try {
    for (fill(); running.size > 0; fill()) {
      const settled = await Promise.race(running.values());
      running.delete(settled.tenantId);
      done++;
      if (!settled.ok) failed++;
      onProgress?.({ done, failed, total });
      if (!settled.ok && onError === 'stop') {
        throw new TenantTaskError(settled.tenantId, done - 1, total, settled.error);
      }
      yield { ...settled, done, total };
    }
    signal?.throwIfAborted();
  } finally {
    stop.abort();
    await Promise.all(running.values());
  }
}

type Settled<T> = { tenantId: string } & ({ ok: true; value: T } | { ok: false; error: unknown });

async function settle<T>(tenantId: string, task: TenantTask<T>, context: TenantTaskContext): Promise<Settled<T>> {
  try {
    return { tenantId, ok: true, value: await task(tenantId, context) };
  } catch (error) {
    return { tenantId, ok: false, error };
  }
}

/** Ended by its own signal, and by the one that somebody has given. */
export const endedBy = (own: AbortSignal, given: AbortSignal | undefined): AbortSignal =>
  given ? AbortSignal.any([given, own]) : own;

/** The same as an Observable; unsubscribing stops the work. */
export function observe<T>(start: (signal: AbortSignal) => AsyncIterable<T>): Observable<T> {
  return new Observable((subscriber) => {
    const stop = new AbortController();
    const drain = async (): Promise<void> => {
      for await (const item of start(stop.signal)) subscriber.next(item);
      subscriber.complete();
    };
    drain().catch((error: unknown) => subscriber.error(error));
    return () => stop.abort();
  });
}
