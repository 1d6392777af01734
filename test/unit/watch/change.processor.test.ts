import { describe, expect, it } from '@jest/globals';
import type { Change } from '../../../lib/providers/watch/change.types.js';
import { processChanges } from '../../../lib/providers/watch/change.processor.js';
import type { TrackedStream } from '../../../lib/providers/watch/stored.token.js';
import { TokenKeeper } from '../../../lib/providers/watch/token.keeper.js';
import { MemoryTokenStore } from '../../../lib/providers/watch/resume-token.store.js';
import { turns } from '../../support/turns.js';

/** Changes 0, 1, 2 … of a stream that ends when it is closed. */
class Changes {
  isClosed = false;
  readonly database = { pool: { state: 'cold' } };
  #next = 0;
  #end = () => {};
  readonly #closed = new Promise<undefined>((resolve) => (this.#end = () => resolve(undefined)));

  constructor(readonly count: number) {}

  async next(): Promise<Change | undefined> {
    if (this.isClosed || this.#next === this.count) return this.#closed;
    return { _id: { _data: String(this.#next++) } } as unknown as Change;
  }
  async close(): Promise<void> {
    this.isClosed = true;
    this.#end();
  }
  /** Ends with the stream alone: whoever waits here has time. */
  pause(): Promise<unknown> {
    return this.#closed;
  }
}

const numberOf = (change: Change) => Number((change as unknown as { _id: { _data: string } })._id._data);

describe('processChanges', () => {
  it.each([1, 3])(
    'counts a change as handled with onError skip only when its attempts are used up, not when they are cut (attempts: %p)',
    async (attempts) => {
      const stream = new Changes(3);
      const store = new MemoryTokenStore();
      const keeper = new TokenKeeper(
        store,
        'key',
        () => {},
        () => false,
      );
      const handler = async (change: Change) => {
        if (numberOf(change) < 2) return;
        await turns();
        await stream.close();
        throw new Error('the database is closing');
      };
      const tracked = { stream, keeper } as unknown as TrackedStream;
      await processChanges(tracked, handler, { onError: 'skip', retry: { attempts } });
      expect(await store.load('key')).toEqual({ _data: '1' });
    },
  );
});
