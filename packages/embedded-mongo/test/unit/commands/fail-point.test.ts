import { describe, expect, it } from '@jest/globals';
import { FailPoint, parseMode } from '../../../src/commands/fail-point/fail-point.js';
import { fieldsOf, int } from '../../../src/commands/reply.js';

const firings = (mode: Parameters<typeof parseMode>[0], count = 4): boolean[] => {
  const failPoint = new FailPoint(parseMode(mode)!, new Map());
  return Array.from({ length: count }, () => failPoint.fires());
};

describe('FailPoint', () => {
  it('fires always, so many times, or after so many', () => {
    expect(firings('alwaysOn')).toEqual([true, true, true, true]);
    expect(firings(fieldsOf({ times: int(2) }))).toEqual([true, true, false, false]);
    expect(firings(fieldsOf({ skip: int(3) }))).toEqual([false, false, false, true]);
  });

  it('is off by mode "off", and refuses any other', () => {
    expect(parseMode('off')).toBeUndefined();
    expect(() => parseMode('sometimes')).toThrow(expect.objectContaining({ code: 2 }));
  });
});
