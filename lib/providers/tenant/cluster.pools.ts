import { resolveOptions, type ResolvedOptions } from '../../polymongo.options.js';
import type { TenantConnection } from '../../polymongo.tenant-options.js';
import type { Database } from '../databases/database.js';
import { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { onShared } from './registry.collection.js';

/** Enough for a few collections at a time. */
const SOCKETS = 6;

/**
 * Pools of their own on one cluster, for what looks at a tenant where it is not served here; whoever has made them closes them.
 * Their sockets are beside `maxTotalConnections`.
 */
export function poolsOf(
  { mongoURI, driverOptions, waitQueueTimeoutMS, shutdownTimeoutMS }: ResolvedOptions,
  connection: TenantConnection | undefined,
  dbName: string,
): PolyMongoPools {
  const own = connection?.options?.driverOptions;
  return new PolyMongoPools(
    resolveOptions({
      mongoURI: connection?.mongoURI ?? mongoURI,
      defaultDB: dbName,
      maxPoolSize: SOCKETS,
      driverOptions: { ...driverOptions, ...own, readPreference: 'primary', writeConcern: { w: 'majority' } },
      waitQueueTimeoutMS,
      shutdownTimeoutMS,
    }),
  );
}

interface Nonce {
  _id: string;
}

/** Something was written there, by whomever. */
export const hasNonce = async (database: Database, name: string): Promise<boolean> =>
  (await onShared<Nonce, Nonce | null>(database, name, (nonces) => nonces.findOne({ _id: name }))) !== null;

/** Runs `work` while something can be found on a cluster. */
export async function withNonce<T>(database: Database, name: string, work: () => Promise<T>): Promise<T> {
  await onShared<Nonce, unknown>(database, name, (nonces) => nonces.insertOne({ _id: name }));
  try {
    return await work();
  } finally {
    await onShared(database, name, (nonces) => nonces.drop()).catch(() => {}); // nothing depends on it
  }
}
