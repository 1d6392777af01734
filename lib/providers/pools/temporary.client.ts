import type { mongo } from 'mongoose';
import { PoolForceClosedError } from './pool.errors.js';
import type { DatabasePool } from './database.pool.js';
import { PoolClient } from './pool.client.js';

/**
 * Asks over a connection of its own beside a pool that is busy, and closes it. It counts in `maxTotalConnections`, and
 * ends with its pool.
 * @returns undefined, and asks nothing, when the budget has no socket left for it
 * @throws PoolConnectError, PoolForceClosedError
 */
export async function askBeside<T>(
  pool: DatabasePool,
  ask: (client: mongo.MongoClient) => Promise<T>,
): Promise<{ answer: T } | undefined> {
  const { budget } = pool.host;
  if (!budget.tryReserve(1)) return undefined;
  const link = new PoolClient(
    { ...pool.config, maxConnections: 1, minConnections: 0 },
    { onMade() {}, onChange() {}, onDelay() {} },
  );
  const closing = new AbortController();
  const lease = pool.lease('operation', undefined, () => {
    closing.abort(new PoolForceClosedError(pool.name));
    void link.close();
  });
  try {
    await link.connect({ attempts: 1, delayMS: 0 }, closing.signal);
    return { answer: await ask(link.client) };
  } finally {
    await link.close();
    budget.release(1);
    lease.release();
  }
}
