import { randomUUID } from 'node:crypto';
import type { mongo } from 'mongoose';
import type { Database } from '../../databases/database.js';

export async function serverVersionOf({ connection }: Database): Promise<string> {
  const { version } = (await connection.db!.admin().buildInfo()) as { version: string };
  return version;
}

/** Collections that are there for a moment, and never anybody's own. */
const NONCE = 'polymongo_nonce.';

export const newNonce = (): string => `${NONCE}${randomUUID()}`;
export const isNonce = (name: string): boolean => name.startsWith(NONCE);

/**
 * Whether two databases are on one cluster: something that is written to one is found in the other. What servers say of
 * themselves proves nothing: two clusters may have the same set name and hosts, and one may be known by two.
 * @throws the server's errors where it cannot be written or looked for
 */
export async function isSameCluster(first: Database, second: Database): Promise<boolean> {
  if (first.pool === second.pool) return true;
  const name = newNonce();
  const written = first.native.collection<Nonce>(name, SURE);
  try {
    await first.send(() => written.insertOne({ _id: name }));
    const there = second.pool.client.db(first.name).collection<Nonce>(name, SURE);
    return (await second.send(() => there.findOne({ _id: name }))) !== null;
  } finally {
    await first.send(() => written.drop()).catch(() => {}); // nothing depends on it
  }
}

interface Nonce {
  _id: string;
}

/** Written for good and read where it is written, whatever the connection string says. */
const SURE: mongo.CollectionOptions = {
  readPreference: 'primary',
  readConcern: { level: 'local' },
  writeConcern: { w: 'majority' },
};
