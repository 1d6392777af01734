import type { mongo } from 'mongoose';
import { executeOn } from '../native/driver.private.js';

type Bulk = mongo.OrderedBulkOperation | mongo.UnorderedBulkOperation;

/** Executes as a write of the pool that serves the database then, which may be another one than when it was begun. */
export function leaseBulk(
  bulk: Bulk,
  current: () => mongo.Collection,
  asWrite: (execute: () => Promise<mongo.BulkWriteResult>) => Promise<mongo.BulkWriteResult>,
): Bulk {
  const execute = bulk.execute.bind(bulk) as (...args: unknown[]) => Promise<mongo.BulkWriteResult>;
  return Object.assign(bulk, {
    execute: (...args: unknown[]) =>
      asWrite(() => {
        executeOn(bulk, current());
        return execute(...args);
      }),
  });
}
