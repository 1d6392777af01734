import { describe, expect, it } from '@jest/globals';
import { LookupCache } from '../../../lib/providers/tenant/lookup.cache.js';

function askedBy<T>(answer: (key: string, time: number) => T | Promise<T>, ttlMS?: number) {
  const asked: string[] = [];
  const cache = new LookupCache<T>((key) => {
    asked.push(key);
    return answer(key, asked.length);
  }, ttlMS);
  return { cache, asked };
}

describe('LookupCache', () => {
  it('asks once for those who ask at the same time', async () => {
    const { cache, asked } = askedBy((key) => key.toUpperCase());
    expect(await Promise.all([cache.get('a'), cache.get('a'), cache.get('b')])).toEqual(['A', 'A', 'B']);
    expect(asked).toEqual(['a', 'b']);
  });

  it('keeps yes and no alike', async () => {
    const { cache, asked } = askedBy(() => false);
    await cache.get('a');
    expect(cache.peek('a')).toBe(false);
    await cache.get('a');
    expect(asked).toHaveLength(1);
  });

  it('asks again when an answer no longer counts', async () => {
    const { cache, asked } = askedBy((_, time) => time, 0);
    expect([await cache.get('a'), await cache.get('a')]).toEqual([1, 2]);
    expect(cache.peek('a')).toBeUndefined();
    expect(asked).toHaveLength(2);
  });

  it('asks again after a failure', async () => {
    const { cache } = askedBy((_, time) => {
      if (time === 1) throw new Error('down');
      return 'up';
    });
    await expect(cache.get('a')).rejects.toThrow('down');
    expect(await cache.get('a')).toBe('up');
  });

  it('does not bring back by a late answer what was forgotten', async () => {
    const { cache } = askedBy((_, time) => time);
    const late = cache.get('a');
    cache.forget('a');
    expect(await cache.get('a')).toBe(2);
    expect(await late).toBe(1);
    expect(cache.peek('a')).toBe(2);
  });

  it('is bounded', async () => {
    const { cache } = askedBy((key) => key);
    for (let i = 0; i <= 10_000; i++) await cache.get(`k${i}`);
    expect(cache.peek('k0')).toBeUndefined();
    expect(cache.peek('k10000')).toBe('k10000');
  });
});
