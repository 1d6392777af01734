import { expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PolyMongoWrapper } from '../../../lib/polymongo.wrapper.js';
import { waitFor } from '../../support/wait-for.js';

it('debug writes states, durations and failures as JSON lines under logPath, and never a password', async () => {
  const logPath = mkdtempSync(join(tmpdir(), 'polymongo-log-'));
  const polymongo = new PolyMongoWrapper({
    mongoURI: 'mongodb://user:topsecret@127.0.0.1:1/?serverSelectionTimeoutMS=50',
    debug: true,
    logPath,
    handleSignals: false,
  });
  polymongo.pools.connectInBackground('shop');
  const lines = await waitFor(() => {
    const all = readFileSync(join(logPath, 'polymongo.log'), 'utf8').trim().split('\n').filter(Boolean);
    return all.length >= 3 && all.map((line) => JSON.parse(line) as Record<string, unknown>);
  });
  expect(lines[0]).toMatchObject({
    level: 'info',
    message: 'pool connecting',
    pool: 'default',
    from: 'cold',
    to: 'connecting',
  });
  expect(lines[1]).toMatchObject({
    level: 'warn',
    message: 'pool closed',
    reason: 'connect failed',
    durationMS: expect.any(Number),
  });
  expect(lines[2]).toMatchObject({ level: 'error', database: 'shop', during: 'connect in the background' });
  expect(JSON.stringify(lines)).not.toContain('topsecret');
  await polymongo.actions.closeAll();
  rmSync(logPath, { recursive: true });
});
