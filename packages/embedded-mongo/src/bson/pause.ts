/**
 * Stands among what a scan or a pipeline gives once it has had its time: whoever asked for it lets others have their
 * turn before he asks for more. Nothing else of what is given depends on it.
 */
export const PAUSE: unique symbol = Symbol('pause');
export type Pause = typeof PAUSE;

/** What is given, for somebody who does not stop until he has it all. */
export function* unpaused<T>(items: Iterable<T | Pause>): Generator<T, void> {
  for (const item of items) if (item !== PAUSE) yield item;
}

/** What work comes to that pauses, for somebody who does not stop until it is done. */
export function atOnce<T>(work: Generator<Pause, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** All that is given; it pauses meanwhile. */
export function* collected<T>(items: Iterable<T | Pause>): Generator<Pause, T[]> {
  const all: T[] = [];
  for (const item of items) {
    if (item === PAUSE) yield PAUSE;
    else all.push(item);
  }
  return all;
}
