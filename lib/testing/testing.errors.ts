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
