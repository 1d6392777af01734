import { AsyncLocalStorage } from 'node:async_hooks';

const storage = new AsyncLocalStorage<object | undefined>();

/**
 * The request, message or connection that the current code works for; undefined outside of any. Transactions and leases
 * count in the work that they began in, and in no other: a callback of a shared socket or pool comes in the context of
 * whoever opened that, with all that is in it.
 */
export const currentWork = (): object | undefined => storage.getStore();

/** Runs `fn` for this request, message or connection. */
export const inWork = <T>(work: object | undefined, fn: () => T): T =>
  storage.getStore() === work ? fn() : storage.run(work, fn);

/** The works of messages that have reached no stage yet. */
const begun = new WeakSet<object>();
/** The work of each message by its arguments, which all its stages are given. Shared by the applications of this process. */
const works = new WeakMap<readonly unknown[], object>();

/** The work of a message that begins. */
export function beginWork(): object {
  const work = {};
  begun.add(work);
  return work;
}

/** The work of a message: what it began in, or a new one if somebody else's is all there is. */
export function workOfMessage(args: readonly unknown[]): object {
  const known = works.get(args);
  if (known) return known;
  const current = currentWork();
  const work = current && begun.delete(current) ? current : {};
  works.set(args, work);
  return work;
}
