import { EventEmitter } from 'node:events';

/** What sends a cursor's commands, and so tells the error; everything else of a cursor only prepares them. */
const READING = ['next', 'tryNext', 'hasNext', 'toArray', 'forEach', 'explain', 'count'];

/**
 * Stands for the cursor or stream of a call that was refused. The driver's `find()`, `aggregate()` and `watch()` answer at
 * once and fail when they are read; mongoose counts on that: an error thrown by them ends the process (mongoose 8's
 * AggregationCursor calls them in a callback that nobody catches).
 */
export function createFailedCursor(error: unknown): object {
  const fail = () => Promise.reject(error as Error);
  const cursor: object = new Proxy(new EventEmitter(), {
    get(target, key) {
      if (key in target) return Reflect.get(target, key) as unknown;
      if (key === 'closed' || key === 'killed') return false;
      if (key === 'then') return undefined;
      if (key === 'close') return () => Promise.resolve();
      if (key === Symbol.asyncIterator) return () => ({ next: fail, return: () => Promise.resolve({ done: true }) });
      return READING.includes(key as string) ? fail : () => cursor;
    },
  });
  return cursor;
}
