import type { Model, mongo } from 'mongoose';

/** What a migration is given. */
export interface MigrationContext {
  /**
   * The tenant's database, as the driver has it. Its collections join the migration's transaction by themselves, and no
   * index of a registered model is made before a write to them.
   */
  readonly db: mongo.Db;
  /** The transaction's session, for calls past `db` and `model`; undefined where the migration is not transactional. */
  readonly session: mongo.ClientSession | undefined;
  /** The tenant's id. */
  readonly tenant: string;
  /** Aborted when the run is to stop, or another process has taken over. Long work looks at it. */
  readonly signal: AbortSignal;
  /** A registered model on the tenant's database. @throws ModelNotRegisteredError */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as Connection.model() of mongoose
  model<T = any>(name: string): Model<T>;
  /** A line of the log, with the tenant and the migration before it. */
  log(message: string): void;
}

/** One direction of a migration. In a transaction it may run again: do nothing in it that must not happen twice. */
export type MigrationFunction = (context: MigrationContext) => unknown;

/** What a migration says of itself, beside what it does. */
export interface MigrationTraits {
  /**
   * Its writes and the record that it ran are one transaction. Default true. False for what a transaction cannot do or
   * hold (indexes, more than a minute of work): when its process dies in the middle, it is reported half-done.
   */
  isTransactional?: boolean;
  /** Compared instead of the hash of its source, which another compiler may change. */
  checksum?: string;
}

/** What a migration file exports, by name or as its default export. */
export interface MigrationScript extends MigrationTraits {
  /** Brings a tenant's database forward. */
  up: MigrationFunction;
  /** Takes it back. */
  down?: MigrationFunction;
}

/** A class with `@Migration(name)`. */
export interface MigrationInstance {
  /** Brings a tenant's database forward. */
  up: MigrationFunction;
  /** Takes it back. Without it the migration cannot be taken back. */
  down?: MigrationFunction;
}

/** A migration that is ready to run. */
export interface MigrationDefinition extends MigrationScript {
  /** `NNNN-name`. */
  name: string;
  checksum: string;
}

/** What of a migration's direction was done last. */
export type MigrationStep = 'up' | 'down';

/**
 * What a tenant's database says of a migration. `begun`: a process is at it. `half-done`: it was, and nobody knows how far
 * it came. `failed`: its transaction was rolled back, so nothing of it is there.
 */
export interface MigrationRecord {
  /** See {@link MigrationRecord}. */
  state: 'done' | 'begun' | 'half-done' | 'failed';
  /** Whether it was last done (`up`) or taken back (`down`). */
  direction: MigrationStep;
  /** Of the code that ran, to see a later change: the `checksum` of its traits, else a hash of its source. */
  checksum: string;
  /** When it began, by the clock of the process. */
  at: Date;
  /** How long it ran, in ms; none before it ended. */
  durationMS?: number;
  /** What it threw. */
  error?: string;
  /** Not run: the tenant began with what it makes. */
  isStamped?: boolean;
  /** Of the lock under which it ran. */
  epoch: number;
}

/** By the names of the migrations. */
export type MigrationRecords = Readonly<Record<string, MigrationRecord>>;
