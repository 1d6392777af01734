import { describe, expect, it } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import { ContextVariable } from '../../../lib/providers/sessions/context.variable.js';

describe('ContextVariable', () => {
  it('is what the innermost run gave it, also after a wait, and what it was afterwards', async () => {
    const variable = new ContextVariable<string>();
    const seen = await variable.run('outer', async () => {
      const inner = variable.run('inner', async () => {
        await setImmediate();
        return variable.get();
      });
      return [variable.get(), await inner, variable.get()];
    });
    expect(seen).toEqual(['outer', 'inner', 'outer']);
    expect(variable.get()).toBeUndefined();
  });

  it('leaves other variables as they are', () => {
    const [a, b] = [new ContextVariable<string>(), new ContextVariable<string>()];
    a.run('a', () => {
      b.run('b', () => expect([a.get(), b.get()]).toEqual(['a', 'b']));
      b.run(undefined, () => expect([a.get(), b.get()]).toEqual(['a', undefined]));
      a.run(undefined, () => expect([a.get(), b.get()]).toEqual([undefined, undefined]));
    });
  });

  it('changes nothing for work that began before', async () => {
    const variable = new ContextVariable<string>();
    let begun!: Promise<string | undefined>;
    void variable.run('first', () => (begun = setImmediate().then(() => variable.get())));
    await variable.run('second', () => setImmediate());
    expect(await begun).toBe('first');
  });
});
