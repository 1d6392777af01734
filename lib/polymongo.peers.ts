import { PolyMongoError } from './polymongo.errors.js';

/** What was called needs a package that is not installed. */
export class PeerMissingError extends PolyMongoError {
  /** What installs it. */
  readonly command: string;

  constructor(
    /** The package. */
    readonly peer: string,
    usedBy: string,
    cause: unknown,
  ) {
    const command = `npm install ${peer}`;
    super(`${usedBy} needs the package ${peer}, which is not installed: ${command}`, { cause });
    this.command = command;
  }
}

/** Loads a package that need not be installed. @throws PeerMissingError when it is not there */
export async function loadPeer<T>(peer: string, usedBy: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw isPackageMissing(peer, error) ? new PeerMissingError(peer, usedBy, error) : error;
  }
}

/** Whether the package itself was not found, as `import` and `require` say; not one that it needs. */
export const isPackageMissing = (peer: string, error: unknown): boolean =>
  error instanceof Error &&
  ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(String((error as NodeJS.ErrnoException).code)) &&
  new RegExp(`^Cannot find (package|module) '${peer}'`).test(error.message);
