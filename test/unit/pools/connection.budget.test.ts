import { describe, expect, it } from '@jest/globals';
import { ConnectionBudgetError } from '../../../lib/providers/pools/pool.errors.js';
import { ConnectionBudget } from '../../../lib/providers/pools/connection.budget.js';

const LONG_MS = 60_000;

describe('ConnectionBudget', () => {
  it('grants at once what fits, and asks nobody to make room', async () => {
    const budget = new ConnectionBudget(10, () => {
      throw new Error('asked for room');
    });
    await budget.reserve('a', 6, LONG_MS);
    await budget.reserve('b', 4, LONG_MS);
    expect(budget.used).toBe(10);
  });

  it('serves those who wait in their order, also when a later one would fit', async () => {
    const budget = new ConnectionBudget(10, () => {});
    const granted: string[] = [];
    await budget.reserve('first', 9, LONG_MS);
    const waiting = [
      budget.reserve('big', 5, LONG_MS).then(() => granted.push('big')),
      budget.reserve('small', 1, LONG_MS).then(() => granted.push('small')),
    ];
    expect(budget.isContended).toBe(true);
    budget.release(9);
    await Promise.all(waiting);
    expect(granted).toEqual(['big', 'small']);
    expect(budget.used).toBe(6);
  });

  it('asks for room whenever somebody still waits', async () => {
    let asked = 0;
    const budget = new ConnectionBudget(4, () => asked++);
    await budget.reserve('a', 2, LONG_MS);
    await budget.reserve('b', 2, LONG_MS);
    const waiting = budget.reserve('c', 4, LONG_MS);
    expect(asked).toBe(1);
    budget.release(2);
    expect(asked).toBe(2);
    budget.release(2);
    await waiting;
  });

  it('gives up after the timeout with an error that says which budget and how full, and lets the next one through', async () => {
    const budget = new ConnectionBudget(10, () => {});
    await budget.reserve('a', 8, LONG_MS);
    const tooBig = budget.reserve('b', 5, 5);
    const fits = budget.reserve('c', 2, LONG_MS);
    const error = await tooBig.catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ConnectionBudgetError);
    expect(error).toMatchObject({ dbName: 'b', maxTotalConnections: 10, usedConnections: 8, waitedMS: 5 });
    await fits;
    expect(budget.used).toBe(10);
  });
});
