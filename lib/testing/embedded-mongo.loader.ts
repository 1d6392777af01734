import { EmbeddedMongoMissingError } from './testing.errors.js';

/**
 * The package embedded-mongo, which need not be installed.
 * @param read imports it; another one in tests
 * @throws EmbeddedMongoMissingError when it is not there
 */
export async function loadEmbeddedMongo(read = () => import('embedded-mongo')) {
  try {
    return await read();
  } catch (error) {
    throw isMissing(error) ? new EmbeddedMongoMissingError(error) : error;
  }
}

/** Whether the package itself was not found, as `import` and `require` say; not one that it needs. */
const isMissing = (error: unknown): boolean =>
  error instanceof Error &&
  ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(String((error as NodeJS.ErrnoException).code)) &&
  /^Cannot find (package|module) 'embedded-mongo'/.test(error.message);
