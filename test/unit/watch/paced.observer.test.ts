import { describe, expect, it } from '@jest/globals';
import { ChangeBufferOverflowError } from '../../../lib/providers/watch/change-stream.errors.js';
import { PacedObserver } from '../../../lib/providers/watch/paced.observer.js';
import { mulberry32 } from '../../support/random.js';
import { printedSeed } from '../../support/seed.js';

const SEEDS = Number(process.env.POLYMONGO_SEEDS ?? 200);
const FIRST_SEED = printedSeed('paced observer');

const tick = () => new Promise((resolve) => setImmediate(resolve));

/** A subscriber whose handler is done when the test says so. */
function slowSubscriber(bufferSize: number) {
  const seen: unknown[] = [];
  const finish: (() => void)[] = [];
  const paced = new PacedObserver<number>(
    {
      next: (value) => {
        seen.push(value);
        return new Promise<void>((resolve) => finish.push(resolve)) as never;
      },
      error: (error: unknown) => seen.push(error),
      complete: () => seen.push('complete'),
    },
    'shop.orders',
    bufferSize,
    (error) => seen.push(error),
  );
  return { paced, seen, finish: () => (finish.shift()!(), tick()) };
}

describe('PacedObserver', () => {
  it('passes on at once what a synchronous handler takes', () => {
    const seen: unknown[] = [];
    const paced = new PacedObserver<number>({ next: (value) => void seen.push(value) }, 'x', 1, () => {});
    for (let i = 0; i < 5; i++) paced.next(i);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });

  it('waits for a handler that gives back a promise, and completes after the last one', async () => {
    const { paced, seen, finish } = slowSubscriber(10);
    for (let i = 0; i < 3; i++) paced.next(i);
    paced.complete();
    paced.stop(); // RxJS lets go of a completed subscriber
    expect(seen).toEqual([0]);
    await finish();
    await finish();
    expect(seen).toEqual([0, 1, 2]);
    await finish();
    expect(seen).toEqual([0, 1, 2, 'complete']);
  });

  it('fails with the name and the bound when the buffer is full', () => {
    const { paced, seen } = slowSubscriber(2);
    for (let i = 0; i < 4; i++) paced.next(i);
    expect(seen[0]).toBe(0);
    expect(seen[1]).toBeInstanceOf(ChangeBufferOverflowError);
    expect(seen[1]).toMatchObject({ source: 'shop.orders', bufferSize: 2 });
  });

  it('delivers nothing more to a subscriber that has left', async () => {
    const { paced, seen, finish } = slowSubscriber(10);
    paced.next(0);
    paced.next(1);
    paced.stop();
    await finish();
    expect(seen).toEqual([0]);
  });

  describe('of a stream that ends', () => {
    const failing = {
      throws: (reason: Error) => {
        throw reason;
      },
      rejects: (reason: Error) => Promise.reject(reason),
      'gives a thenable that rejects': (reason: Error) => ({
        then: (_: unknown, no: (e: Error) => void) => no(reason),
      }),
    };

    /** What is told of, of a stream that is ended while a handler of `next` may be at work. */
    async function toldOf(observer: object, end: (paced: PacedObserver<number>) => void, isBusy: boolean) {
      const told: unknown[] = [];
      const next = () => (isBusy ? tick() : undefined);
      const paced = new PacedObserver<number>({ next, ...observer } as object, 'x', 1, (error) => told.push(error));
      paced.next(0);
      expect(() => end(paced)).not.toThrow();
      await tick();
      await tick();
      return told;
    }

    it.each(Object.entries(failing))('tells of a handler of the end that %s', async (_, fail) => {
      const reason = new Error('the handler');
      for (const isBusy of [false, true]) {
        expect(await toldOf({ complete: () => fail(reason) }, (paced) => paced.complete(), isBusy)).toEqual([reason]);
        const error = new Error('the stream');
        expect(await toldOf({ error: () => fail(reason) }, (paced) => paced.error(error), isBusy)).toEqual([reason]);
      }
      const overflow = (paced: PacedObserver<number>) => [1, 2].forEach((n) => paced.next(n));
      expect(await toldOf({ error: () => fail(reason) }, overflow, true)).toEqual([reason]);
    });

    it('tells of an error that there is no handler for', async () => {
      const error = new Error('the stream');
      for (const isBusy of [false, true]) {
        expect(await toldOf({}, (paced) => paced.error(error), isBusy)).toEqual([error]);
      }
      const overflow = (paced: PacedObserver<number>) => [1, 2].forEach((n) => paced.next(n));
      expect(await toldOf({}, overflow, true)).toEqual([expect.any(ChangeBufferOverflowError)]);
    });
  });

  it(`delivers every change once and in order to a handler that returns, throws, resolves or rejects as it likes, and tells of each failure (seeds ${FIRST_SEED} to ${FIRST_SEED + SEEDS - 1}, POLYMONGO_SEED)`, async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const random = mulberry32(seed);
      const [seen, failures, reported]: [unknown[], number[], unknown[]] = [[], [], []];
      const next = (value: number): unknown => {
        seen.push(value);
        const dice = random();
        if (dice < 0.2) return undefined;
        const [isFailing, isLate] = [dice > 0.6, dice > 0.4];
        if (isFailing) failures.push(value);
        if (isLate) return isFailing ? later().then(() => Promise.reject(value)) : later();
        if (isFailing) throw value;
        return Promise.resolve();
      };
      const later = async () => {
        for (let ticks = Math.floor(random() * 6); ticks > 0; ticks--) await Promise.resolve();
      };
      const complete = () => seen.push('complete');
      const paced = new PacedObserver<number>({ next, complete } as object, 'x', 100, (error) => reported.push(error));
      for (let n = 0; n < 30; n++) {
        paced.next(n);
        if (random() < 0.5) await later();
      }
      paced.complete();
      await tick();
      expect([seed, seen, reported]).toEqual([
        seed,
        [...Array.from({ length: 30 }, (_, n) => n), 'complete'],
        failures,
      ]);
    }
  });
});
