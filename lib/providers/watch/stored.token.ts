import { ResumingStream, type StreamListener, type WatchSource } from './resuming.stream.js';
import { InvalidResumeTokenError } from './change-stream.errors.js';
import { isTokenRefusal } from './resumable.errors.js';
import { TokenKeeper } from './token.keeper.js';
import type { WatchOptions } from './watch.options.js';
import { startOf } from './watch.source.js';

/** A stream, and where its consumer says that everything up to a token is handled. */
export interface TrackedStream {
  stream: ResumingStream;
  /** Undefined: no token is stored. */
  keeper: TokenKeeper | undefined;
}

/**
 * A stream that begins after the stored token, if there is one, and else stores the one it opened at: what happens
 * before the first change is handled is not lost either.
 */
export function trackToken(source: WatchSource, options: WatchOptions, isPatient = false): TrackedStream {
  const { tokenStore, tokenKey = source.name, onOpen, onReconnect } = options;
  const listener: StreamListener = { ...(onOpen && { onOpen }), ...(onReconnect && { onReconnect }) };
  if (!tokenStore)
    return { stream: new ResumingStream(source, startOf(options), listener, isPatient), keeper: undefined };

  const { database } = source;
  const report = (error: unknown) =>
    database.events.emit('error', { db: database.name, error, during: `saving the resume token of ${tokenKey}` });
  const keeper = new TokenKeeper(tokenStore, tokenKey, report, () => stream.isClosed);
  let isStored = false;
  const begin = async () => {
    const token = await keeper.load();
    isStored = token !== undefined;
    // An invalidate event's token works here too, unlike in resumeAfter.
    return isStored ? { startAfter: token } : startOf(options);
  };
  const stream: ResumingStream = new ResumingStream(
    source,
    begin,
    {
      ...listener,
      onOpen: async () => {
        if (!isStored) await keeper.keep(stream.resumeToken);
        await onOpen?.();
      },
      explain: (error) =>
        isStored && isTokenRefusal(error)
          ? new InvalidResumeTokenError(tokenKey, 'is what the server refuses', error)
          : error,
    },
    isPatient,
  );
  return { stream, keeper };
}
