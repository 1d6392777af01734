import { describe, expect, it } from '@jest/globals';
import type { Database } from '../../../lib/providers/databases/database.js';
import { isSameCluster } from '../../../lib/providers/bulk/raw/cluster.identity.js';

/** What a server holds, by namespace. */
type Server = Map<string, Set<string>>;

/** A database on a server, as far as the proof looks at it; every server says the same of itself. */
function databaseOn(server: Server, name: string, refuse?: Error): Database {
  const collection = (database: string) => (collectionName: string) => {
    const namespace = `${database}.${collectionName}`;
    return {
      insertOne: async ({ _id }: { _id: string }) => {
        if (refuse) throw refuse;
        server.set(namespace, (server.get(namespace) ?? new Set()).add(_id));
      },
      findOne: async ({ _id }: { _id: string }) => (server.get(namespace)?.has(_id) ? { _id } : null),
      drop: async () => server.delete(namespace),
    };
  };
  const pool = { client: { db: (database: string) => ({ collection: collection(database) }) } };
  const connection = { db: { command: async () => ({ setName: 'rs0', hosts: ['mongo:27017'] }) } };
  const send = <T>(command: () => Promise<T>) => command();
  return { name, pool, native: { collection: collection(name) }, connection, send } as unknown as Database;
}

describe('isSameCluster', () => {
  it('tells two clusters apart that say the same of themselves', async () => {
    expect(await isSameCluster(databaseOn(new Map(), 'a'), databaseOn(new Map(), 'b'))).toBe(false);
  });

  it('knows one cluster by what is written to it, however it is reached', async () => {
    const server: Server = new Map();
    expect(await isSameCluster(databaseOn(server, 'a'), databaseOn(server, 'b'))).toBe(true);
    expect(server.size).toBe(0);
  });

  it('says neither yes nor no where it cannot be found out', async () => {
    const error = new Error('not authorized');
    await expect(isSameCluster(databaseOn(new Map(), 'a', error), databaseOn(new Map(), 'b'))).rejects.toBe(error);
  });
});
