import { PolyMongoError } from '../polymongo.errors.js';

const COMMAND = 'npm install --save-dev embedded-mongo';

/** `EmbeddedMongo.start()` or `polymongo embedded` needs the package embedded-mongo, and it is not installed. */
export class EmbeddedMongoMissingError extends PolyMongoError {
  /** What installs it. */
  readonly command = COMMAND;

  constructor(cause: unknown) {
    super(`The embedded MongoDB is a package of its own, which is not installed: ${COMMAND}`, { cause });
  }
}

/** A database has not the documents that a test expects. */
export class FixtureMismatchError extends PolyMongoError {
  constructor(
    /** The name of their model. */
    readonly model: string,
    /** What was expected and is not there. */
    readonly missing: readonly object[],
    /** What is there and was not expected. */
    readonly unexpected: readonly object[],
    show: (value: unknown) => string,
  ) {
    const lines = (sign: string, documents: readonly object[]) => documents.map((one) => `\n  ${sign} ${show(one)}`);
    super(
      `The documents of ${model} are not those that the test expects (- missing, + not expected):` +
        [...lines('-', missing), ...lines('+', unexpected)].join(''),
    );
  }
}
