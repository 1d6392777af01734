import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { clock, delay, systemClock } from '../../../lib/polymongo.clock.js';
import { TestClock } from '../../../lib/testing/test-clock.js';

describe('TestClock', () => {
  let time: TestClock;
  const log: string[] = [];
  const note = (what: string) => () => void log.push(what);
  beforeEach(() => {
    time = TestClock.install();
    log.length = 0;
  });
  afterEach(() => time.uninstall());

  it('has what is due happen in its order, whenever it was asked for, and nothing else', async () => {
    clock.setTimeout(note('20 s'), 20_000);
    clock.setTimeout(note('10 s'), 10_000);
    const later = clock.setTimeout(note('30 s'), 30_000);
    await time.advance(25_000);
    expect(log).toEqual(['10 s', '20 s']);
    await time.advance(5000);
    expect(log).toEqual(['10 s', '20 s', '30 s']);
    clock.clear(later);
    expect(time.pending).toBe(0);
  });

  it('jumps in both of its times, and goes on', async () => {
    const [now, monotonic] = [clock.now(), clock.monotonic()];
    await time.advance(3_600_000);
    expect(clock.now() - now).toBeGreaterThanOrEqual(3_600_000);
    expect(clock.monotonic() - monotonic).toBeGreaterThanOrEqual(3_600_000);
    await delay(1); // comes by itself
    expect(time.pending).toBe(0);
  });

  it('has what a timer asks for happen as well, where that is within the time', async () => {
    clock.setTimeout(() => void delay(10_000).then(note('second')), 10_000);
    await time.advance(19_000);
    expect(log).toEqual([]);
    await time.advance(1001);
    expect(log).toEqual(['second']);
  });

  it('repeats intervals as often as they come, until they are cleared', async () => {
    const interval = clock.setInterval(note('beat'), 1000).unref();
    await time.advance(3500);
    expect(log).toEqual(['beat', 'beat', 'beat']);
    clock.clear(interval);
    await time.advance(10_000);
    expect(log).toHaveLength(3);
  });

  it('ends a wait with its signal, and leaves no timer', async () => {
    const abort = new AbortController();
    const waiting = delay(10_000, abort.signal);
    abort.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
    await expect(delay(10_000, abort.signal)).rejects.toThrow('stop');
    expect(time.pending).toBe(0);
  });

  it('clears a timer that was there before it', () => {
    const before = systemClock.setTimeout(note('never'), 10);
    clock.clear(before);
    clock.clear(undefined);
    expect((before as NodeJS.Timeout & { _destroyed?: boolean })._destroyed).toBe(true);
  });
});
