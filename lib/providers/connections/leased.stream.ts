import type { mongo } from 'mongoose';
import type { Database } from '../databases/database.js';
import type { PoolLease } from '../pools/pool.lease.js';
import { closeOnServerToo } from './stream.closing.js';

/** What the driver keeps inside a change stream; the same in drivers 6 and 7. */
interface StreamParts {
  cursor: { readonly id?: { isZero(): boolean } | null; _initialize(session: mongo.ClientSession): Promise<unknown> };
}

/**
 * Enters a change stream in the books of its database, and lets it hold a lease while it is open on the server. The
 * driver closes the cursor inside and makes another when it resumes; that is not the stream's end.
 */
export function leaseChangeStream<S extends mongo.ChangeStream>(stream: S, database: Database): S {
  closeOnServerToo(stream);
  const { cursor } = stream as unknown as StreamParts;
  const initialize = cursor._initialize.bind(cursor);
  const close = stream.close.bind(stream);
  let lease: PoolLease | undefined;
  let isEnded = false;
  const end = () => {
    isEnded = true;
    database.streams.delete(stream);
    lease?.release();
  };
  cursor._initialize = async (session) => {
    lease = await database.enter('long', () => void stream.close());
    if (isEnded) lease.release();
    return initialize(session);
  };
  stream.on('close', () => {
    if ((stream as unknown as StreamParts).cursor.id?.isZero()) end(); // the server ended it
  });
  stream.close = async () => {
    isEnded = true;
    database.streams.delete(stream);
    try {
      await close();
    } finally {
      lease?.release();
    }
  };
  database.streams.add(stream);
  return stream;
}
