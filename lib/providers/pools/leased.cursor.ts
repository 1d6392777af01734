import type { mongo } from 'mongoose';
import { PoolForceClosedError } from '../../polymongo.errors.js';
import type { Database } from './database.js';
import type { PoolLease } from './pool.lease.js';

/** The driver's step that sends a cursor's first command; the same in drivers 6 and 7. */
interface Initializable {
  _initialize(session: mongo.ClientSession): Promise<unknown>;
}

/** Lets a cursor hold a lease from its first fetch until it is exhausted or closed, and tell when its pool is cut. */
export function leaseCursor<C extends mongo.AbstractCursor>(cursor: C, database: Database): C {
  const gated = cursor as unknown as Initializable;
  const initialize = gated._initialize.bind(cursor);
  gated._initialize = async (session) => {
    const lease = await database.enter('long', () => fail(cursor, new PoolForceClosedError(database.name)));
    cursor.once('close', () => lease.release());
    try {
      return await initialize(session);
    } catch (error) {
      lease.release();
      throw error;
    }
  };
  leaseMethod(cursor as unknown as Record<string, unknown>, 'explain', database);
  return cursor;
}

/** Lets a change stream hold a lease while it is open on the server. */
export function leaseChangeStream<S extends mongo.ChangeStream>(stream: S, database: Database): S {
  const { cursor } = stream as unknown as { cursor: Initializable };
  const initialize = cursor._initialize.bind(cursor);
  let lease: PoolLease | undefined;
  cursor._initialize = async (session) => {
    lease = await database.enter('long', () => void stream.close());
    stream.once('close', () => lease?.release());
    if (stream.closed) lease.release();
    return initialize(session);
  };
  return stream;
}

/** The legacy bulk builders send nothing before `execute()`. */
export function leaseBulk<B extends mongo.OrderedBulkOperation | mongo.UnorderedBulkOperation>(
  bulk: B,
  database: Database,
): B {
  leaseMethod(bulk as unknown as Record<string, unknown>, 'execute', database);
  return bulk;
}

function leaseMethod(target: Record<string, unknown>, name: string, database: Database): void {
  const method = target[name];
  if (typeof method !== 'function') return;
  target[name] = (...args: unknown[]) => database.run(async () => method.apply(target, args));
}

/**
 * A cursor whose client is closed ends a `for await` without a word (node-mongodb-native#4372). This one throws.
 */
function fail(cursor: mongo.AbstractCursor, error: Error): void {
  const reject = () => Promise.reject(error);
  const no = { get: () => false, configurable: true };
  Object.assign(cursor, { next: reject, tryNext: reject, hasNext: reject });
  Object.defineProperties(cursor, { closed: no, isDead: no, isKilled: { ...no, set: () => {} } });
}
