import { onChangeDecorator, type OnChangeOptions } from '../providers/watch/on-change.metadata.js';

/**
 * Calls the method with each change: from the start of the application to its shutdown, which waits for the change in
 * hand. One at a time unless `concurrency` says otherwise. A handler that fails is called again as `retry` says, then
 * the stream stops and `@OnDbError` hears of it, or with `onError: 'skip'` goes on. With a `tokenStore` a change comes
 * again after a restart until its handler was done.
 */
export const OnChange = (options: OnChangeOptions): MethodDecorator => onChangeDecorator(options);
