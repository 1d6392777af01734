import { describe, expect, it, jest } from '@jest/globals';
import mongoose from 'mongoose';
import { InvalidResumeTokenError } from '../../../lib/providers/watch/change-stream.errors.js';
import { TokenKeeper } from '../../../lib/providers/watch/token.keeper.js';

/** A store that answers what it is told to, and whose next saves fail as often as it is told to. */
class Store {
  saved: unknown[] = [];
  failures = 0;
  constructor(readonly answer?: unknown) {}
  async load(): Promise<never> {
    return this.answer as never;
  }
  async save(_key: string, token: unknown): Promise<void> {
    if (this.failures-- > 0) throw new Error('the disk is full');
    this.saved.push(token);
  }
  async delete(): Promise<void> {}
}

function keep(store: Store) {
  const reported: unknown[] = [];
  const state = { isOver: false };
  const keeper = new TokenKeeper(
    store,
    'Orders.shipped',
    (error) => reported.push(error),
    () => state.isOver,
  );
  return { keeper, reported, state };
}

describe('TokenKeeper', () => {
  it.each([[undefined], [null]])('begins afresh when the store answers %p', async (answer) => {
    expect(await keep(new Store(answer)).keeper.load()).toBeUndefined();
  });

  it.each([
    [{ _data: '8263' }],
    [{ _data: Buffer.from('82', 'hex') }],
    [{ _data: new mongoose.mongo.BSON.Binary(Buffer.from('82', 'hex')) }],
  ])('takes the token %p', async (token) => {
    expect(await keep(new Store(token)).keeper.load()).toBe(token);
  });

  it.each([
    [''],
    ['{"_data":"8263"}'],
    ['8263'],
    [0],
    [false],
    [true],
    [NaN],
    [[]],
    [[{ _data: '82' }]],
    [{}],
    [{ data: '82' }],
    [{ _data: '' }],
    [{ _data: null }],
    [{ _data: 82 }],
    [{ _data: 'zz' }],
    [{ _data: '826' }],
    [{ _data: '4263' }],
    [{ _data: new Uint8Array() }],
    [{ _data: new mongoose.mongo.BSON.Binary(Buffer.from('zz')) }],
    [{ token: { _data: '82' } }],
    [new Map([['_data', '82']])],
    [new Date()],
    [Buffer.from('82')],
    [Symbol('82')],
    [() => '82'],
  ])('never begins afresh on what is no token: %p', async (answer) => {
    const loading = keep(new Store(answer)).keeper.load();
    await expect(loading).rejects.toThrow(InvalidResumeTokenError);
    await expect(loading).rejects.toMatchObject({ tokenKey: 'Orders.shipped' });
  });

  it('saves on after a save that failed, and the last one again', async () => {
    const store = new Store();
    const { keeper, reported } = keep(store);
    store.failures = 1;
    await keeper.keep({ _data: '1' });
    await keeper.keep({ _data: '2' });
    store.failures = 1;
    await keeper.keep({ _data: '3' });
    await keeper.flush();
    await keeper.flush();
    expect(store.saved).toEqual([{ _data: '2' }, { _data: '3' }]);
    expect(reported).toHaveLength(2);
  });

  it('tries again by itself, as long as the stream lives', async () => {
    jest.useFakeTimers();
    try {
      const store = new Store();
      const { keeper, state } = keep(store);
      store.failures = 2;
      await keeper.keep({ _data: '1' });
      await jest.advanceTimersByTimeAsync(10_000);
      expect(store.saved).toEqual([{ _data: '1' }]);
      store.failures = 1;
      await keeper.keep({ _data: '2' });
      state.isOver = true;
      await jest.advanceTimersByTimeAsync(10_000);
      expect(store.saved).toEqual([{ _data: '1' }]);
    } finally {
      jest.useRealTimers();
    }
  });
});
