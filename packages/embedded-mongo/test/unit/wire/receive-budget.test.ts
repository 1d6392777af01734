import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { ReceiveBudget, type Receiver } from '../../../src/wire/receive-budget.js';

const MB = 1024 * 1024;

class FakeConnection implements Receiver {
  lastBytesMS = performance.now();
  resumed = 0;
  isClosed = false;

  constructor(private readonly budget: ReceiveBudget) {}

  begins(length: number): boolean {
    return this.budget.admits(this, length);
  }

  resume(): void {
    this.resumed++;
  }

  close(): void {
    this.isClosed = true;
    this.budget.release(this);
  }
}

describe('the budget of half-received messages', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const connections = (budget: ReceiveBudget, count: number): FakeConnection[] =>
    Array.from({ length: count }, () => new FakeConnection(budget));

  it('lets long messages come while there is room, the others in their turn', () => {
    const budget = new ReceiveBudget(100 * MB);
    const [a, b, c, small] = connections(budget, 4);
    expect(a!.begins(48 * MB)).toBe(true);
    expect(b!.begins(48 * MB)).toBe(true);
    expect(c!.begins(48 * MB)).toBe(false);
    expect(small!.begins(1000)).toBe(true);
    expect(a!.begins(48 * MB)).toBe(true); // more of the same message
    budget.release(a!);
    expect(c!.resumed).toBe(1);
    expect(c!.begins(48 * MB)).toBe(true);
  });

  it('is the same again after whatever comes and goes', () => {
    const event = fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 48 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), (events) => {
        const budget = new ReceiveBudget(96 * MB);
        const all = connections(budget, 10);
        const lengths = new Map<FakeConnection, number>();
        for (const [which, length, isEnd] of events) {
          const connection = all[which]!;
          if (isEnd) {
            budget.release(connection);
            lengths.delete(connection);
          } else if (!lengths.has(connection)) lengths.set(connection, length * MB);
          const admitted = [...lengths].filter(([each, asked]) => each.begins(asked));
          expect(admitted.reduce((sum, [, asked]) => sum + asked, 0)).toBeLessThanOrEqual(96 * MB);
          expect(admitted.length > 0 || lengths.size === 0).toBe(true); // somebody always gets on
        }
        for (const connection of all) budget.release(connection);
        expect(all[0]!.begins(96 * MB)).toBe(true);
        expect(jest.getTimerCount()).toBe(0);
      }),
    );
  });

  it('closes who sends nothing more while others wait, and nobody while no one does', () => {
    const budget = new ReceiveBudget(48 * MB);
    const [idle, busy, waiting] = connections(budget, 3);
    idle!.begins(20 * MB);
    busy!.begins(20 * MB);
    jest.advanceTimersByTime(60_000);
    expect(idle!.isClosed).toBe(false);
    busy!.lastBytesMS = performance.now();
    expect(waiting!.begins(20 * MB)).toBe(false);
    jest.advanceTimersByTime(5000);
    expect([idle!.isClosed, busy!.isClosed]).toEqual([true, false]);
    expect(waiting!.resumed).toBe(1);
  });
});
