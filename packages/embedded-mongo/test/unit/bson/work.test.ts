import { describe, expect, test } from '@jest/globals';
import { checkInterrupt, interruptible, spend, uninterrupted } from '../../../src/bson/work.js';

const ended = (): never => {
  throw new Error('ended');
};

/** More than may be done before somebody looks. */
const MUCH = 1e6;

describe('work', () => {
  test('is ended by what it runs under, and by nothing outside of it', () => {
    expect(() => interruptible(ended, () => spend(MUCH))).toThrow('ended');
    expect(() => spend(MUCH)).not.toThrow();
    expect(checkInterrupt).not.toThrow();
  });

  test('of one command is not ended by what ends another within which it runs', () => {
    const inner = (): void => interruptible(undefined, () => spend(MUCH));
    expect(() => interruptible(ended, inner)).not.toThrow();
    expect(() => interruptible(ended, () => (inner(), spend(MUCH)))).toThrow('ended');
  });

  test('that has to be finished is', () => {
    const work = (): number => uninterrupted(() => (spend(MUCH), 1));
    expect(interruptible(ended, work)).toBe(1);
  });

  test('is looked at after so much of it, not each time', () => {
    let looks = 0;
    interruptible(
      () => void looks++,
      () => {
        for (let i = 0; i < 100_000; i++) spend(1);
      },
    );
    expect(looks).toBeGreaterThan(5);
    expect(looks).toBeLessThan(50);
  });
});
