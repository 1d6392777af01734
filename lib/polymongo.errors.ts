export interface PolyMongoErrorOptions {
  cause?: unknown;
}

/** Root of every error this package throws. Tell them apart by `instanceof`, never by their text. */
export class PolyMongoError extends Error {
  constructor(message: string, options: PolyMongoErrorOptions = {}) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** An option is missing, of the wrong type or out of range. */
export class PolyMongoOptionsError extends PolyMongoError {
  constructor(
    readonly option: string,
    message: string,
  ) {
    super(message);
  }
}

/** A name that MongoDB does not accept for a database. */
export class InvalidDatabaseNameError extends PolyMongoError {
  constructor(readonly reason: string) {
    super(`Invalid database name: it ${reason}. Use 1 to 63 bytes without / \\ . " $ * < > : | ? space or NUL.`);
  }
}

/** What an error says, to be put in the middle of a sentence. */
export const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
