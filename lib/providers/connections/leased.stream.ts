import type { mongo } from 'mongoose';
import type { Database } from '../databases/database.js';
import { cursorOf, cursorOnServer, sendFirstBy } from '../native/driver.private.js';
import type { PoolLease } from '../pools/pool.lease.js';
import { closeOnServerToo } from './stream.closing.js';

/**
 * Enters a change stream in the books of its database, and lets it hold a lease while it is open on the server. The
 * driver closes the cursor inside and makes another when it resumes; that is not the stream's end.
 */
export function leaseChangeStream<S extends mongo.ChangeStream>(stream: S, database: Database): S {
  closeOnServerToo(stream);
  const close = stream.close.bind(stream);
  let lease: PoolLease | undefined;
  let isEnded = false;
  const end = () => {
    isEnded = true;
    database.streams.delete(stream);
    lease?.release();
  };
  sendFirstBy(cursorOf(stream), async (first) => {
    lease = await database.enter('long', () => void stream.close());
    if (isEnded) lease.release();
    return first();
  });
  stream.on('close', () => {
    if (cursorOnServer(cursorOf(stream)).id?.isZero()) end(); // the server ended it
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
