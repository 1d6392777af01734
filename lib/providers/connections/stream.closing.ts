import type { mongo } from 'mongoose';
import {
  cursorOf,
  cursorOnServer,
  onEachCursor,
  sendFirstBy,
  sendNextBy,
  type StreamCursor,
} from '../native/driver.private.js';
import { within } from '../pools/deadline.js';

const OPENING_MS = 2_000;

/**
 * Has `close()` end a stream on the server even when it is called while the server opens it. The driver does not know
 * the cursor's id yet then, and leaves the cursor to the server's timeout of ten minutes; this waits for the answer, for
 * 2 s at most. One that comes later, because the stream was waiting for a socket, is closed when it is there. Nor does it
 * end one that is just being read, when no socket is free: the end of the reading ends the session with which the driver's
 * killCursors is still waiting. This sends another.
 */
export function closeOnServerToo<S extends mongo.ChangeStream>(stream: S): S {
  const close = stream.close.bind(stream);
  let opening: { answer: Promise<unknown>; cursor: StreamCursor } | undefined;
  let reads = 0;

  onEachCursor(stream, (cursor) => {
    sendFirstBy(cursor, (first) => {
      const answer = first();
      opening = { answer: answer.catch(() => {}), cursor };
      return answer;
    });
    sendNextBy(cursor, async (next) => {
      reads++;
      try {
        return await next();
      } finally {
        reads--;
      }
    });
  });
  stream.close = async () => {
    const late = opening && !(await within(OPENING_MS, opening.answer)) ? opening : undefined;
    const { client, namespace, id } = cursorOnServer(cursorOf(stream));
    const isBeingRead = reads > 0;
    await close();
    if (isBeingRead && id && !id.isZero()) await kill(client, namespace, id);
    void late?.answer.then(() => late.cursor.close().catch(() => {}));
  };
  return stream;
}

async function kill(
  client: mongo.MongoClient,
  { db, collection }: mongo.MongoDBNamespace,
  id: mongo.Long,
): Promise<void> {
  try {
    await client.db(db).command({ killCursors: collection, cursors: [id] });
  } catch {
    // Nobody can be reached any more, and the session's end on the server ends it.
  }
}
