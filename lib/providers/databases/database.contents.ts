import type { Database } from './database.js';

/** What was made on a database. Another object when that is not there any more: dropped, or on another cluster. */
export class DatabaseContents {
  /** The collections whose writes wait for nothing. */
  readonly prepared = new Set<string>();
}

/** Makes what has to be there before the first document of a collection is; the models do. */
export interface CollectionPreparation {
  /** There are indexes or options that a collection made by the write itself would lack. */
  isNeeded(database: Database, collection: string): boolean;
  /** Resolves when they are there, and has noted it in the database's contents. */
  prepare(database: Database, collection: string): Promise<void>;
}
