import type { mongo } from 'mongoose';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';

/** Where provisioned tenants are written down, in the default database. */
export const TENANTS_COLLECTION = 'polymongo_tenants';

const WRITE_TIMEOUT_MS = 10_000;

/**
 * Runs `fn` on a collection of the default database that processes agree by: read where it is written, and written on
 * a majority, whatever the connection string says.
 */
export function onRegistry<D extends mongo.Document, T>(
  pools: PolyMongoPools,
  name: string,
  fn: (collection: mongo.Collection<D>) => Promise<T>,
): Promise<T> {
  const database = pools.database(pools.options.defaultDB);
  const options: mongo.CollectionOptions = {
    readPreference: 'primary',
    readConcern: { level: 'local' },
    writeConcern: { w: 'majority', wtimeoutMS: WRITE_TIMEOUT_MS },
  };
  return database.run(() => fn(database.connection.db!.collection<D>(name, options)));
}
