import { describe, expect, it, jest } from '@jest/globals';
import { RetryGate } from '../../../lib/providers/transaction/retry.gate.js';

describe('RetryGate', () => {
  it('lets in as many as it is large, and the next when one leaves, in order', async () => {
    const gate = new RetryGate(2);
    const inside: string[] = [];
    const enter = async (name: string) => {
      const leave = await gate.enter();
      inside.push(name);
      return leave;
    };
    const [leaveA] = await Promise.all([enter('a'), enter('b')]);
    const c = enter('c');
    const d = enter('d');
    await Promise.resolve();
    expect(inside).toEqual(['a', 'b']);
    leaveA();
    leaveA(); // once is enough
    await c;
    expect(inside).toEqual(['a', 'b', 'c']);
    (await c)();
    await d;
    expect(inside).toEqual(['a', 'b', 'c', 'd']);
  });

  describe.each([
    ['a second', 1_000, () => new RetryGate(2, 1_000)],
    ['five seconds, if nobody says otherwise', 5_000, () => new RetryGate(2)],
  ])('lets the next ones in when none of those inside has left for %s', (_, patienceMS, create) => {
    it('and those after them when that time is over again', async () => {
      jest.useFakeTimers();
      try {
        const gate = create();
        const inside: number[] = [];
        for (let n = 0; n < 5; n++) void gate.enter().then(() => inside.push(n));
        await jest.advanceTimersByTimeAsync(patienceMS - 1);
        expect(inside).toEqual([0, 1]);
        await jest.advanceTimersByTimeAsync(1);
        expect(inside).toEqual([0, 1, 2, 3]);
        await jest.advanceTimersByTimeAsync(patienceMS);
        expect(inside).toEqual([0, 1, 2, 3, 4]);
      } finally {
        jest.useRealTimers();
      }
    });
  });
});
