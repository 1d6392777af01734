/** What those right of the pools put before the work on a database. */
export interface DatabaseEquipment<Database> {
  readonly gate?: DatabaseGate | undefined;
  readonly preparation?: CollectionPreparation<Database>;
  /** Its aggregations may name no other database. */
  readonly isConfined?: boolean;
  /** For reads and writes that say nothing of it. */
  readonly maxTimeMS?: number | undefined;
}

/** Stands before a database and says whether work may begin on it. */
export interface DatabaseGate {
  /** Undefined: it may. A promise: the work waits for it, and fails with it. */
  pass(): Promise<void> | undefined;
  /** For what cannot wait. @throws when it is not known yet on which pool the database is */
  assertPassed(): void;
}

/** Makes what has to be there before the first document of a collection is; the models do. */
export interface CollectionPreparation<Database> {
  /** There are indexes or options that a collection made by the write itself would lack. */
  isNeeded(database: Database, collection: string): boolean;
  /** Resolves when they are there, and has noted it in the database's contents. */
  prepare(database: Database, collection: string): Promise<void>;
  /** From now on a model that mongoose compiled on the database's connection is among those made. */
  include(database: Database, model: object): void;
}

/** A change stream in the books of its database; it leaves them when it ends. */
export interface OpenStream {
  /** On the whole cluster, not on this database alone. */
  readonly isClusterWide?: boolean;
  close(): Promise<void>;
}
