import type { mongo } from 'mongoose';
import type { Database } from '../databases/database.js';
import { within } from '../pools/deadline.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';

/** Where provisioned tenants are written down, in the default database. */
export const TENANTS_COLLECTION = 'polymongo_tenants';

const WRITE_TIMEOUT_MS = 10_000;
const FAREWELL_MS = 500;

/**
 * Has `work` done when the process ends in order, while the registry can be reached, and waits half a second for it at most.
 * @param work gives nothing where there is nothing to do
 */
export function atFarewell(pools: PolyMongoPools, work: () => Promise<unknown> | undefined): void {
  pools.events.on('disconnecting', async ({ db }) => {
    if (!pools.isShuttingDown || db !== pools.options.defaultDB) return;
    await within(FAREWELL_MS, work()?.catch(() => {}) ?? Promise.resolve());
  });
}

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
