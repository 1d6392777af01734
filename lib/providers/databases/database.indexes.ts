import type { Database } from './database.js';

/** An index: its name, its key, and the options that MongoDB knows of it. */
export interface IndexDefinition {
  /** The index's name, such as `email_1`. */
  name: string;
  /** Its fields, in their order: 1, -1, `text`, `2dsphere`, `hashed` … */
  key: Record<string, unknown>;
  /** What else MongoDB knows of it: `unique`, `expireAfterSeconds`, `partialFilterExpression`, `collation` … */
  [option: string]: unknown;
}

/** What is to be done to have a collection's indexes as its models' schemas say. */
export interface IndexPlan {
  /** The database that the collection is in. */
  database: string;
  /** The collection, as it is called in the database. */
  collection: string;
  /** Names of indexes that no schema declares in this form. */
  toDrop: string[];
  /** Indexes that are missing, or there in another form. */
  toCreate: IndexDefinition[];
}

/** How `syncIndexes` goes about it. */
export interface SyncIndexesOptions {
  /** Changes nothing and gives the plan. Default false. */
  dryRun?: boolean;
}

/** Makes and repairs a database's collections and indexes; the models do. */
export interface DatabaseIndexes {
  ensure(database: Database): Promise<void>;
  sync(database: Database, options: SyncIndexesOptions): Promise<IndexPlan[]>;
}
