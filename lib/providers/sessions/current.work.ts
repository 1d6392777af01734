import { ContextVariable } from './context.variable.js';

const current = new ContextVariable<object>();

/**
 * The request, message or connection that the current code works for; undefined outside of any. Transactions and leases
 * count in the work that they began in, and in no other: a callback of a shared socket or pool comes in the context of
 * whoever opened that, with all that is in it.
 */
export const currentWork = (): object | undefined => current.get();

/** Runs `fn` for this request, message or connection. */
export const inWork = <T>(work: object | undefined, fn: () => T): T => current.run(work, fn);

/** What goes on here from now on, also in whoever called this, is done for this message. */
export const goOnInWork = (work: object | undefined): void => current.goOnWith(work);

/** The works of messages that have reached no stage yet. */
const begun = new WeakSet<object>();
/** The work of each message by what all its stages are given. Shared by the applications of this process. */
const works = new WeakMap<object, object>();

/** The work of a message that begins. */
export function beginWork(): object {
  const work = {};
  begun.add(work);
  return work;
}

/** The work of a message: what it began in, or a new one if somebody else's is all there is. */
export function workOfMessage(message: object): object {
  const known = works.get(message);
  if (known) return known;
  const around = currentWork();
  const work = around && begun.delete(around) ? around : {};
  works.set(message, work);
  return work;
}
