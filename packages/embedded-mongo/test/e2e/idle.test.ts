import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const run = promisify(execFile);

describe('an idle EmbeddedMongo', () => {
  it('uses no CPU, and once stopped leaves no timer and lets the process end', async () => {
    const script = join(import.meta.dirname, 'idle.process.mjs');
    const { stdout } = await run(process.execPath, [script], { timeout: 20_000 });
    const used = JSON.parse(stdout) as { idleMS: number; idleCpuMS: number; timersLeft: number };
    expect(used.idleCpuMS).toBeLessThan(used.idleMS / 4);
    expect(used.timersLeft).toBe(0);
  });
});
