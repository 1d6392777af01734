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

  it('lets the next ones in when none of those inside has left for a time', async () => {
    jest.useFakeTimers();
    try {
      const gate = new RetryGate(2, 1_000);
      const inside: number[] = [];
      for (let n = 0; n < 5; n++) void gate.enter().then(() => inside.push(n));
      await jest.advanceTimersByTimeAsync(999);
      expect(inside).toEqual([0, 1]);
      await jest.advanceTimersByTimeAsync(1);
      expect(inside).toEqual([0, 1, 2, 3]);
      await jest.advanceTimersByTimeAsync(1_000);
      expect(inside).toEqual([0, 1, 2, 3, 4]);
    } finally {
      jest.useRealTimers();
    }
  });
});
