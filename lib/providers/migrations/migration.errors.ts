import { messageOf, PolyMongoError } from '../../polymongo.errors.js';
import type { MigrationStep } from './migration.types.js';

/** Root of the errors of migrations. */
export class MigrationError extends PolyMongoError {}

/** Migrations contradict each other or are none: a name, a file or a class is not as it has to be. */
export class MigrationDefinitionError extends MigrationError {}

/** A migration is not what it was when it ran for the tenant. */
export class MigrationChangedError extends MigrationError {
  constructor(
    /** The tenant that it ran for. */
    readonly tenantId: string,
    /** The migrations that changed, by name, in their order. */
    readonly migrations: readonly string[],
  ) {
    super(
      `Tenant ${tenantId}: ${listOf(migrations)} changed after it ran. Take the change back and write a new migration; if it ` +
        "changes nothing that matters, accept it: { accept: ['" +
        `${migrations[0]}'] }.`,
    );
  }
}

/** A migration ran for the tenant that is not among those of the code, though later ones are. */
export class MigrationMissingError extends MigrationError {
  constructor(
    /** The tenant that they ran for. */
    readonly tenantId: string,
    /** The migrations that the code lacks, by name, in their order. */
    readonly migrations: readonly string[],
  ) {
    super(
      `Tenant ${tenantId}: ${listOf(migrations)} ran, and is not among the migrations of this code. Put its file or class back.`,
    );
  }
}

/** A migration that has not run for the tenant comes before one that has. */
export class MigrationOrderError extends MigrationError {
  constructor(
    /** The tenant whose migrations are out of order. */
    readonly tenantId: string,
    /** Those that have not run, by name, in their order. */
    readonly migrations: readonly string[],
    /** The name of the last one that has run. */
    readonly after: string,
  ) {
    super(
      `Tenant ${tenantId}: ${listOf(migrations)} has not run, but ${after}, which comes after it, has. Give it a number after ` +
        "that one, or, if the order is of no matter, run it alone: { only: ['" +
        `${migrations[0]}'] }.`,
    );
  }
}

/** A process ended in the middle of a migration without a transaction, or the migration threw: how far it came is not known. */
export class MigrationHalfDoneError extends MigrationError {
  constructor(
    /** The tenant whose documents it is half-way through. */
    readonly tenantId: string,
    /** The migration's name, `NNNN-name`. */
    readonly migration: string,
    /** Whether it was being done (`up`) or taken back (`down`). */
    readonly direction: MigrationStep,
    /** What it threw; undefined where its process ended. */
    readonly reason: string | undefined,
  ) {
    super(
      `Tenant ${tenantId}: ${migration} is half-done (${direction}${reason === undefined ? '' : `: ${reason}`}), and is not run ` +
        'again by itself. Look at the data; then redo it, or mark it as done or undone.',
    );
  }
}

/** A migration that has no `down` was to be taken back. Nothing was. */
export class MigrationIrreversibleError extends MigrationError {
  constructor(
    /** The tenant that it ran for. */
    readonly tenantId: string,
    /** The name of the migration without `down()`. */
    readonly migration: string,
  ) {
    super(
      `Tenant ${tenantId}: ${migration} has no down(), so nothing was taken back. Write one, or go back to before it.`,
    );
  }
}

/** No migration of the code has this name or number, or it is in no state for what was asked. */
export class MigrationUnknownError extends MigrationError {
  constructor(
    /** The name or number that was asked for. */
    readonly migration: string,
    known: readonly string[],
  ) {
    super(`There is no migration ${migration}. There are: ${known.join(', ') || 'none'}.`);
  }
}

/** Another process migrates the tenant, and did not end in time. */
export class MigrationBusyError extends MigrationError {
  constructor(
    /** The tenant that another process migrates. */
    readonly tenantId: string,
    /** How long it was waited for, in ms: the option `waitMS`. */
    readonly waitedMS: number,
  ) {
    super(`Tenant ${tenantId} is being migrated by another process; waited ${waitedMS} ms. Try again later.`);
  }
}

/** Another process has taken the tenant over, because this one had not been heard of for too long. What it did since is not kept. */
export class MigrationTakenOverError extends MigrationError {
  constructor(
    /** The tenant that another process migrates now. */
    readonly tenantId: string,
  ) {
    super(
      `Tenant ${tenantId} was taken over by another process: this one had not been heard of for too long. The other one goes on; ` +
        'look at the status before you run anything.',
    );
  }
}

/** A migration threw. `cause` is its error. */
export class MigrationFailedError extends MigrationError {
  constructor(
    /** The tenant that it failed for. */
    readonly tenantId: string,
    /** The migration's name, `NNNN-name`. */
    readonly migration: string,
    /** Whether it was being done (`up`) or taken back (`down`). */
    readonly direction: MigrationStep,
    /** It had no transaction, so a part of it may be done; it is not run again by itself. */
    readonly isHalfDone: boolean,
    cause: unknown,
  ) {
    super(
      `Tenant ${tenantId}: ${direction} of ${migration} failed${isHalfDone ? ' and is half-done' : ' and was rolled back'}: ` +
        `${messageOf(cause)}.`,
      { cause },
    );
  }
}

const listOf = (names: readonly string[]): string =>
  names.length === 1 ? names[0]! : `${names[0]} (and ${names.length - 1} more)`;
