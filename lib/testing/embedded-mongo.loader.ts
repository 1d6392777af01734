import { isPackageMissing } from '../polymongo.peers.js';
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
    throw isPackageMissing('embedded-mongo', error) ? new EmbeddedMongoMissingError(error) : error;
  }
}
