import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { MortalServer } from '../../support/mortal-server.js';
import { PoolRun } from './pool.run.js';

const SEEDS = Number(process.env.POLYMONGO_SEEDS ?? (process.env.POLYMONGO_LONG ? 1_000 : 100));
const FIRST_SEED = Number(process.env.POLYMONGO_SEED ?? 1);
const AT_ONCE = 4;

let servers: MortalServer[];
beforeAll(async () => {
  servers = await Promise.all(Array.from({ length: AT_ONCE }, () => MortalServer.start()));
});
afterAll(() => Promise.all(servers.map((server) => server.kill())));

it(
  `the pools keep their rules whatever happens in whatever order (${SEEDS} seeds)`,
  async () => {
    const wrong: string[] = [];
    let next = FIRST_SEED;
    const play = async (server: MortalServer) => {
      while (next < FIRST_SEED + SEEDS) {
        const seed = next++;
        const run = new PoolRun(seed, server);
        await run.play().catch((error: unknown) => run.failures.push(String(error)));
        for (const failure of run.failures)
          wrong.push(`seed ${seed} (alone: POLYMONGO_SEED=${seed} POLYMONGO_SEEDS=1): ${failure}`);
      }
    };
    await Promise.all(servers.map(play));
    expect(wrong).toEqual([]);
  },
  60_000 + SEEDS * 1_000,
);
