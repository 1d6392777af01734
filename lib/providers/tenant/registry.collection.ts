import type { mongo } from 'mongoose';
import type { Database } from '../databases/database.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';

/** Where provisioned tenants are written down, in the default database. */
export const TENANTS_COLLECTION = 'polymongo_tenants';

const WRITE_TIMEOUT_MS = 10_000;

/** {@link onShared} of the default database. */
export const onRegistry = <D extends mongo.Document, T>(
  pools: PolyMongoPools,
  name: string,
  fn: (collection: mongo.Collection<D>) => Promise<T>,
): Promise<T> => onShared(pools.database(pools.options.defaultDB), name, fn);

/**
 * Runs `fn` on a collection that processes agree by: read where it is written, and written on a majority, whatever the
 * connection string says.
 */
export function onShared<D extends mongo.Document, T>(
  database: Database,
  name: string,
  fn: (collection: mongo.Collection<D>) => Promise<T>,
): Promise<T> {
  const options: mongo.CollectionOptions = {
    readPreference: 'primary',
    readConcern: { level: 'local' },
    writeConcern: { w: 'majority', wtimeoutMS: WRITE_TIMEOUT_MS },
  };
  return database.run(() => fn(database.connection.db!.collection<D>(name, options)));
}
