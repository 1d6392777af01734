import { PolyMongoError } from '../../polymongo.errors.js';
import type { IndexDefinition } from '../databases/database.indexes.js';

/** An index of a schema that a collection does not have, and cannot get. */
export interface IndexDifference {
  /** The database that the collection is in. */
  database: string;
  /** The collection as it is called in the database. */
  collection: string;
  /** The name that the model is registered under whose schema declares the index. */
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
 * Indexes are not as the schemas say: others are there instead, documents contradict a unique one, or the server refuses
 * them. `code` is the server's for the first of them (85 or 86: another one is there; 11000: duplicates; 67: MongoDB has
 * no such index).
 */
export class IndexMismatchError extends PolyMongoError {
  /** The server's error code of the first difference, a number; undefined where the server gave none. */
  readonly code: unknown;
  /** One of them is unique: nothing is written to its collection without it. */
  readonly isUnique: boolean;

  constructor(
    /** Each index that is not as declared, at least one. */
    readonly differences: readonly IndexDifference[],
  ) {
    const [first] = differences;
    const { database, cause } = first!;
    const lines = differences.map(
      ({ collection, model, index, found, cause: { message } }) =>
        `${collection}.${index} of ${model}: ${found ? `there is ${JSON.stringify(found)} instead` : message.replace(/\.$/, '')}`,
    );
    super(
      `Indexes of database "${database}" are not as the schemas say. ${lines.join('; ')}. Look at what differs with ` +
        `pools.syncIndexes('${database}', { dryRun: true }), remove documents that contradict an index, and ` +
        `repair it with pools.syncIndexes('${database}'). An index that MongoDB refuses as such has to leave the schema: ` +
        'drop it, or give a nested schema `autoIndex: false` or `excludeIndexes`.',
      { cause },
    );
    this.isUnique = differences.some(({ expected }) => Boolean(expected['unique']));
    this.code = (cause as { code?: unknown }).code;
  }
}
