import type { PolyMongoEvents } from '../../polymongo.events.js';
import { keepContext } from './subscriber.context.js';

/** A listener of an event; the same shape as Node's. */
export type Listener = (...args: unknown[]) => unknown;
/** What a listener stands for: Node takes it off by that, too. */
type Kept = Listener & { listener: Listener };

/** A listener as it is added to an emitter, called in the async context of now. */
export const keptListener = (listener: Listener): Kept => Object.assign(keepContext(listener), { listener });

/** As {@link keptListener}, for one event; `remove` takes off what it is given. */
export function keptOnce(listener: Listener, remove: (kept: Listener) => void): Kept {
  const once: Kept = Object.assign(
    keepContext(function (this: unknown, ...args: unknown[]) {
      remove(once);
      return listener.apply(this, args);
    }),
    { listener },
  );
  return once;
}

/**
 * An `onProgress` of the user's as a task calls it: in the async context of now. What it throws ends the task; what an async
 * one rejects with later, which nobody awaits, is told to `onDbError` and does not end the process.
 */
export function keptProgress<P>(
  events: PolyMongoEvents,
  db: string,
  onProgress: (progress: P) => unknown,
): (progress: P) => void {
  const kept = keepContext(onProgress);
  return (progress) => {
    Promise.resolve(kept(progress)).catch((error: unknown) =>
      events.emit('error', { db, error, during: 'onProgress' }),
    );
  };
}
