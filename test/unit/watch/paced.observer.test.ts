import { describe, expect, it } from '@jest/globals';
import { ChangeBufferOverflowError } from '../../../lib/providers/watch/change-stream.errors.js';
import { PacedObserver } from '../../../lib/providers/watch/paced.observer.js';

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
  );
  return { paced, seen, finish: () => (finish.shift()!(), tick()) };
}

describe('PacedObserver', () => {
  it('passes on at once what a synchronous handler takes', () => {
    const seen: unknown[] = [];
    const paced = new PacedObserver<number>({ next: (value) => void seen.push(value) }, 'x', 1);
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
});
