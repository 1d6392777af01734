import { describe, expect, it } from '@jest/globals';
import { BehaviorSubject, firstValueFrom, interval, lastValueFrom, map, of, take, toArray } from 'rxjs';
import { ChangeObservable, InvalidTenantIdError, TenantMissingError, TenantSwitchError } from '../../../lib/index.js';
import { resolveTenantOptions } from '../../../lib/polymongo.tenant-options.js';
import { TenantContext } from '../../../lib/providers/tenant/tenant.context.js';
import { turns } from '../../support/turns.js';

const context = new TenantContext(resolveTenantOptions());

describe('TenantContext', () => {
  it('has no tenant outside of run', () => {
    expect(context.current()).toBeUndefined();
    expect(() => context.require()).toThrow(TenantMissingError);
  });

  it('gives back what the function gives, and the outer tenant afterwards', () => {
    const seen = context.run('a', () => [
      context.current(),
      context.run('b', () => context.current()),
      context.current(),
    ]);
    expect(seen).toEqual(['a', 'b', 'a']);
  });

  it('carries the tenant through promises, timers, microtasks and immediates', async () => {
    const seen = await Promise.all(
      ['a', 'b', 'c'].map((tenantId) =>
        context.run(tenantId, async () => {
          await turns(Math.random() * 5);
          const later = [
            new Promise((resolve) => setTimeout(() => resolve(context.current()), 2)),
            new Promise((resolve) => setImmediate(() => resolve(context.current()))),
            new Promise((resolve) => process.nextTick(() => resolve(context.current()))),
            new Promise((resolve) => queueMicrotask(() => resolve(context.current()))),
          ];
          return Promise.all(later);
        }),
      ),
    );
    expect(seen).toEqual(['a', 'b', 'c'].map((tenantId) => Array(4).fill(tenantId)));
  });

  it('stays with a generator that is read elsewhere', async () => {
    const steps = context.run('a', async function* () {
      yield context.require();
      await turns();
      yield context.require();
    });
    const seen: string[] = [];
    await context.run('b', async () => {
      for await (const tenantId of steps) seen.push(tenantId);
    });
    expect(seen).toEqual(['a', 'a']);
    const sync = context.run('a', function* () {
      yield context.require();
    });
    expect(context.run('b', () => [...sync])).toEqual(['a']);
  });

  it('stays with an Observable that is subscribed to elsewhere', async () => {
    const ticks = context.run('a', () =>
      interval(1).pipe(
        map(() => context.require()),
        take(2),
        toArray(),
      ),
    );
    expect(await context.run('b', () => lastValueFrom(ticks))).toEqual(['a', 'a']);
    expect(await lastValueFrom(context.run('a', () => of(1)))).toBe(1);
  });

  it('alters neither a generator nor an Observable, which keep their own members', async () => {
    const made = (function* () {
      yield context.current();
    })();
    const carried = context.run('a', () => made);
    expect(Object.getOwnPropertyNames(made)).toEqual([]);
    expect([...carried]).toEqual(['a']);

    const subject = new BehaviorSubject(1);
    const carriedSubject = context.run('a', () => subject);
    carriedSubject.next(2);
    expect([subject.value, carriedSubject.value, await firstValueFrom(carriedSubject)]).toEqual([2, 2, 2]);
    expect(Object.keys(subject)).toEqual(Object.keys(new BehaviorSubject(1)));

    const changes = new ChangeObservable<string | undefined>({
      sourceName: 'test',
      bufferSize: 1,
      report: () => {},
      push: (subscriber) => (subscriber.next(context.current()), subscriber.complete(), () => {}),
      pull: async function* () {
        yield context.current();
      },
    });
    const carriedChanges = context.run('a', () => changes);
    expect(carriedChanges).toBeInstanceOf(ChangeObservable);
    expect(await lastValueFrom(carriedChanges)).toBe('a');
    expect(await lastValueFrom(carriedChanges.pipe(map((tenant) => `${tenant} ${context.current()}`)))).toBe('a a');
    for await (const tenant of carriedChanges) expect(tenant).toBe('a');
  });

  it('refuses a malformed id before the function runs', () => {
    let hasRun = false;
    expect(() => context.run('No Way', () => (hasRun = true))).toThrow(InvalidTenantIdError);
    expect(hasRun).toBe(false);
  });

  it('lets a listener refuse a switch, and only a switch', () => {
    const guarded = new TenantContext(resolveTenantOptions());
    const switches: (string | undefined)[][] = [];
    const off = guarded.onSwitch((from, to) => {
      switches.push([from, to]);
      if (from !== undefined) throw new TenantSwitchError();
    });
    guarded.run('a', () => {
      expect(() => guarded.run('b', () => {})).toThrow(TenantSwitchError);
      expect(guarded.run('a', () => guarded.current())).toBe('a');
    });
    expect(switches).toEqual([
      [undefined, 'a'],
      ['a', 'b'],
    ]);
    off();
    expect(guarded.run('a', () => guarded.run('b', () => guarded.current()))).toBe('b');
  });
});
