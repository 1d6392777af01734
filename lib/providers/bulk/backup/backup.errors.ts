import { PolyMongoError } from '../../../polymongo.errors.js';

/** What is wrong with a backup: what was read is not what its manifest says. */
export class BackupDamagedError extends PolyMongoError {
  constructor(
    /** The tenant that the backup is of. */
    readonly tenantId: string,
    /** Each thing that is not as it was, as in `orders: 99 documents, not 100`. */
    readonly differences: readonly string[],
    cause?: unknown,
  ) {
    super(
      `The backup of tenant ${tenantId} is damaged: ${differences.slice(0, 5).join('; ')}` +
        `${differences.length > 5 ? ` and ${differences.length - 5} more` : ''}. Take another one.`,
      { cause },
    );
  }
}

/** A file of a backup is there already, and is not replaced. */
export class BackupExistsError extends PolyMongoError {
  constructor(
    /** The tenant that was to be backed up. */
    readonly tenantId: string,
    /** The file that is there. */
    readonly file: string,
  ) {
    super(`${file} is there already: a backup replaces none. Give each run a folder of its own.`);
  }
}

/** There is no backup of this tenant where one was looked for. */
export class BackupMissingError extends PolyMongoError {
  constructor(
    /** The tenant that a backup was looked for of. */
    readonly tenantId: string,
    /** The file that is not there. */
    readonly file: string,
    cause: unknown,
  ) {
    super(
      `There is no backup of tenant ${tenantId}: ${file} cannot be opened. Give the folder that it was written to.`,
      {
        cause,
      },
    );
  }
}

/** The server no longer has the moment that a backup or a clone reads, or never had it. */
export class SnapshotExpiredError extends PolyMongoError {
  constructor(
    /** The tenant that was read. */
    readonly tenantId: string,
    cause: unknown,
  ) {
    super(
      `Tenant ${tenantId} could not be read as of one moment: the server no longer has it. Raise ` +
        'minSnapshotHistoryWindowInSeconds (300 s by default), read fewer tenants at a time, or take { snapshot: false }.',
      { cause },
    );
  }
}

/** A tenant was to be restored or cloned over something. */
export class TenantNotEmptyError extends PolyMongoError {
  constructor(
    /** The tenant that has something. */
    readonly tenantId: string,
    /** What it has. */
    readonly collections: readonly string[],
  ) {
    super(
      `Tenant ${tenantId} has documents already (${collections.slice(0, 5).join(', ')}). Restore with { drop: true } to replace ` +
        'them, or give another id.',
    );
  }
}
