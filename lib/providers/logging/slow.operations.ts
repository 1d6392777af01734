import type { OperationObserver } from '../databases/operation.observers.js';
import type { LogSink } from './log.sink.js';

/** Writes down what takes longer than `slowMS`: where and how long, and nothing of the call's arguments. */
export const slowOperations =
  (slowMS: number, sink: LogSink): OperationObserver =>
  async ({ method, database, collection, model }, run) => {
    const began = performance.now();
    try {
      return await run();
    } finally {
      const durationMS = Math.round(performance.now() - began);
      if (durationMS > slowMS)
        sink.write('warn', 'slow operation', { database, model, collection, operation: method, durationMS });
    }
  };
