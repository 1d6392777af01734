import type { mongo } from 'mongoose';
import type { DatabasePool } from '../pools/database.pool.js';
import { within } from '../pools/deadline.js';
import { isSaturated } from '../pools/pool.statistics.js';
import { askBeside } from '../pools/temporary.client.js';

const MB = 1024 ** 2;
/** How long a busy pool may let a question wait before it is asked on a connection of its own. */
const BUSY_MS = 500;

/** What a database holds. */
export interface DatabaseSizes {
  /** dataSize / 1024². */
  sizeMb: number;
  /** Collections without views and `system.*`. */
  numCollections: number;
  /** Each of them: its documents by the server's estimate, and its size in MB (1024² bytes) before compression. */
  collections: { name: string; docCount: number; sizeMb: number }[];
}

/** Asks on the pool; when that stays busy, on a connection beside it, if `maxTotalConnections` has room for one. */
export async function readSizes(name: string, pool: DatabasePool): Promise<DatabaseSizes> {
  const left = new AbortController();
  const onPool = ask(pool.client.db(name), left.signal);
  onPool.catch(() => {});
  const patienceMS = Math.min(BUSY_MS, (pool.config.waitQueueTimeoutMS || Infinity) / 2);
  while (!(await within(patienceMS, onPool))) {
    if (!isSaturated(pool.stats)) continue; // it is the server that is slow
    const beside = await askBeside(pool, (client) => ask(client.db(name)));
    if (!beside) break;
    left.abort();
    return beside.answer;
  }
  return onPool;
}

/** One question after the other, so that they take one socket and do not make a small pool busy themselves. */
async function ask(db: mongo.Db, signal?: AbortSignal): Promise<DatabaseSizes> {
  const abortable = signal ? { signal } : {};
  const total = await db.command({ dbStats: 1 }, abortable);
  const infos = await db.listCollections({}, abortable).toArray();
  const names = infos
    .filter(({ type, name }) => type !== 'view' && !name.startsWith('system.'))
    .map(({ name }) => name);
  const collections: DatabaseSizes['collections'] = [];
  for (const name of names) {
    signal?.throwIfAborted();
    const docCount = await db.collection(name).estimatedDocumentCount();
    const [stats] = await db
      .collection(name)
      .aggregate<{ storageStats: { size: number } }>([{ $collStats: { storageStats: {} } }], abortable)
      .toArray();
    collections.push({ name, docCount, sizeMb: (stats?.storageStats.size ?? 0) / MB });
  }
  return { sizeMb: Number(total['dataSize'] ?? 0) / MB, numCollections: names.length, collections };
}
