import type { mongo } from 'mongoose';
import { within } from '../pools/deadline.js';

interface CursorParts {
  readonly id?: mongo.Long | null;
  readonly cursorClient: mongo.MongoClient;
  readonly cursorNamespace: mongo.MongoDBNamespace;
  _initialize(session: mongo.ClientSession): Promise<unknown>;
  getMore(...args: unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

/** What the driver keeps inside a change stream; the same in drivers 6 and 7. */
interface StreamParts {
  readonly cursor: CursorParts;
  _createChangeStreamCursor(options: unknown): CursorParts;
}

const OPENING_MS = 2_000;

/**
 * Has `close()` end a stream on the server even when it is called while the server opens it. The driver does not know
 * the cursor's id yet then, and leaves the cursor to the server's timeout of ten minutes; this waits for the answer, for
 * 2 s at most. One that comes later, because the stream was waiting for a socket, is closed when it is there. Nor does it
 * end one that is just being read, when no socket is free: the end of the reading ends the session with which the driver's
 * killCursors is still waiting. This sends another.
 */
export function closeOnServerToo<S extends mongo.ChangeStream>(stream: S): S {
  const parts = stream as unknown as StreamParts;
  const createCursor = parts._createChangeStreamCursor.bind(stream);
  const close = stream.close.bind(stream);
  let opening: { answer: Promise<unknown>; cursor: CursorParts } | undefined;
  let reads = 0;

  const watchOpening = (cursor: CursorParts): CursorParts => {
    const initialize = cursor._initialize.bind(cursor);
    cursor._initialize = (session) => {
      const answer = initialize(session);
      opening = { answer: answer.catch(() => {}), cursor };
      return answer;
    };
    const getMore = cursor.getMore.bind(cursor);
    cursor.getMore = async (...args) => {
      reads++;
      try {
        return await getMore(...args);
      } finally {
        reads--;
      }
    };
    return cursor;
  };
  watchOpening(parts.cursor);
  parts._createChangeStreamCursor = (options) => watchOpening(createCursor(options)); // when it resumes
  stream.close = async () => {
    const late = opening && !(await within(OPENING_MS, opening.answer)) ? opening : undefined;
    const { cursor } = parts;
    const id = reads > 0 ? cursor.id : undefined;
    await close();
    if (id && !id.isZero()) await kill(cursor, id);
    void late?.answer.then(() => late.cursor.close().catch(() => {}));
  };
  return stream;
}

async function kill({ cursorClient, cursorNamespace: { db, collection } }: CursorParts, id: mongo.Long): Promise<void> {
  try {
    await cursorClient.db(db).command({ killCursors: collection, cursors: [id] });
  } catch {
    // Nobody can be reached any more, and the session's end on the server ends it.
  }
}
