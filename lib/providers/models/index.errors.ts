import { PolyMongoError } from '../../polymongo.errors.js';
import type { IndexDefinition } from '../databases/database.indexes.js';

/** An index of a schema that a collection does not have, and cannot get. */
export interface IndexDifference {
  database: string;
  collection: string;
  model: string;
  /** The index's name. */
  index: string;
  /** What the schema says. */
  expected: IndexDefinition;
  /** The index that is there under its name or with its key. */
  found?: IndexDefinition;
  /** The server's answer. */
  cause: Error;
}

/**
 * Indexes are not as the schemas say: others are there instead, or documents contradict a unique one. `code` is the
 * server's for the first of them (85 or 86: another one is there; 11000: duplicates).
 */
export class IndexMismatchError extends PolyMongoError {
  readonly code: unknown;

  constructor(readonly differences: readonly IndexDifference[]) {
    const [first] = differences;
    const { database, cause } = first!;
    const lines = differences.map(
      ({ collection, index, found, cause: { message } }) =>
        `${collection}.${index}: ${found ? `there is ${JSON.stringify(found)} instead` : message}`,
    );
    super(
      `Indexes of database "${database}" are not as the schemas say. ${lines.join('; ')}. Look at what differs with ` +
        `pools.syncIndexes('${database}', { dryRun: true }), remove documents that contradict a unique index, and ` +
        `repair it with pools.syncIndexes('${database}').`,
      { cause },
    );
    this.code = (cause as { code?: unknown }).code;
  }
}
