import type { mongo } from 'mongoose';

type Bulk = mongo.OrderedBulkOperation | mongo.UnorderedBulkOperation;
/** Of the driver's builders (6.16 to 7.8): both are read by `execute()`. */
interface BulkParts {
  collection: mongo.Collection;
  s: { collection: mongo.Collection };
}

/**
 * The driver reads the limits of a batch from its client's topology, or takes its defaults (16 MB, 1,000 operations)
 * where no server has said any. A client that has not connected has no topology at all, and the builder would throw.
 */
export function buildBulk(collection: mongo.Collection, build: () => Bulk): Bulk {
  const { client } = collection as unknown as { client: { topology?: object; options: object } };
  if (client.topology) return build();
  Object.assign(collection, { topology: { lastHello: () => null, s: { options: client.options } } });
  try {
    return build();
  } finally {
    delete (collection as { topology?: object }).topology;
  }
}

/** Executes as a write of the pool that serves the database then, which may be another one than when it was begun. */
export function leaseBulk(
  bulk: Bulk,
  current: () => mongo.Collection,
  asWrite: (execute: () => Promise<mongo.BulkWriteResult>) => Promise<mongo.BulkWriteResult>,
): Bulk {
  const parts = bulk as unknown as BulkParts;
  const execute = bulk.execute.bind(bulk) as (...args: unknown[]) => Promise<mongo.BulkWriteResult>;
  return Object.assign(bulk, {
    execute: (...args: unknown[]) =>
      asWrite(() => {
        parts.collection = parts.s.collection = current();
        return execute(...args);
      }),
  });
}
