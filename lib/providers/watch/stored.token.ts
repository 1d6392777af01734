import type { ResumeToken } from './resume-token.store.js';
import { ResumingStream, type WatchSource } from './resuming.stream.js';
import type { WatchOptions } from './watch.options.js';
import { startOf } from './watch.source.js';

/** A stream, and where its consumer says that everything up to a token is handled. */
export interface TrackedStream {
  stream: ResumingStream;
  save(token: ResumeToken): Promise<void>;
}

/**
 * A stream that begins after the stored token, if there is one, and else stores the one it opened at: what happens
 * before the first change is handled is not lost either.
 */
export function trackToken(source: WatchSource, options: WatchOptions): TrackedStream {
  const { tokenStore, tokenKey = source.name, onOpen } = options;
  if (!tokenStore) return { stream: new ResumingStream(source, startOf(options), options), save: async () => {} };

  let isStored = false;
  let saving = Promise.resolve();
  const save = (token: ResumeToken): Promise<void> => (saving = saving.then(() => tokenStore.save(tokenKey, token)));
  const begin = async () => {
    const token = await tokenStore.load(tokenKey);
    isStored = token !== undefined;
    // An invalidate event's token works here too, unlike in resumeAfter.
    return isStored ? { startAfter: token } : startOf(options);
  };
  const stream: ResumingStream = new ResumingStream(source, begin, {
    ...options,
    onOpen: () => {
      if (isStored) return onOpen?.();
      save(stream.resumeToken).then(
        () => onOpen?.(),
        () => {}, // the consumer's next save fails with it
      );
    },
  });
  return { stream, save };
}
