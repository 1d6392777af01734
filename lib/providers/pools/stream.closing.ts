import type { mongo } from 'mongoose';
import { within } from './deadline.js';

interface CursorParts {
  _initialize(session: mongo.ClientSession): Promise<unknown>;
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
 * 2 s at most.
 */
export function closeOnServerToo<S extends mongo.ChangeStream>(stream: S): S {
  const parts = stream as unknown as StreamParts;
  const createCursor = parts._createChangeStreamCursor.bind(stream);
  const close = stream.close.bind(stream);
  let opening: Promise<unknown> | undefined;

  const watchOpening = (cursor: CursorParts): CursorParts => {
    const initialize = cursor._initialize.bind(cursor);
    cursor._initialize = (session) => {
      const answer = initialize(session);
      opening = answer.catch(() => {});
      return answer;
    };
    return cursor;
  };
  watchOpening(parts.cursor);
  parts._createChangeStreamCursor = (options) => watchOpening(createCursor(options)); // when it resumes
  stream.close = async () => {
    if (opening) await within(OPENING_MS, opening);
    await close();
  };
  return stream;
}
