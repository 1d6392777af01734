import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { PolyMongoWrapper } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { mulberry32 } from '../../support/random.js';
import { settle } from '../../support/settling.js';
import { DOCUMENTS, WORK, WorkPlace } from './idle-work.js';

const INTERLEAVINGS = Number(process.env.POLYMONGO_INTERLEAVINGS ?? (process.env.POLYMONGO_LONG ? 10_000 : 500));
const FIRST_SEED = Number(process.env.POLYMONGO_SEED ?? 1);
const AT_ONCE = 6;
const DBS = ['idle_0', 'idle_1', 'idle_2'];

let server: EmbeddedMongo;
let polymongo: PolyMongoWrapper;
let place: WorkPlace;
const cutPools: string[] = [];
let idleCloses = 0;

beforeAll(async () => {
  server = await EmbeddedMongo.start();
  polymongo = new PolyMongoWrapper({
    mongoURI: server.uri,
    dbSpecific: DBS.map((dbName, i) => ({ dbName, options: { autoClose: true, ttl: i, maxConnections: 8 } })),
    handleSignals: false,
  });
  place = new WorkPlace(polymongo);
  polymongo.pools.events.on('poolState', ({ pool, to, reason }) => {
    if (reason === 'idle' && to === 'closed') idleCloses++;
    if (to === 'closed' && polymongo.pools.poolOf(pool).leaseCount > 0) cutPools.push(pool);
  });
  for (const name of DBS) await place.fill(name);
});
afterAll(async () => {
  await polymongo.actions.closeAll();
  await server.stop();
});

const pause = (ms: number) =>
  new Promise<void>((resolve) => (ms < 1 ? setImmediate(resolve) : setTimeout(resolve, ms)));

const KINDS = Object.keys(WORK);

it(
  `an idle close never truncates work, nor meets a lease (${INTERLEAVINGS} random interleavings)`,
  async () => {
    const wrong: string[] = [];
    const done = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
    const one = async (seed: number) => {
      const random = mulberry32(seed);
      const kind = KINDS[Math.floor(random() * KINDS.length)]!;
      const name = DBS[Math.floor(random() * DBS.length)]!;
      await pause(random() * 3);
      try {
        const count = await WORK[kind]!(place.on(name), () => pause(random() * 3), seed);
        done[kind]!++;
        if (count !== DOCUMENTS) wrong.push(`seed ${seed}: ${kind} on ${name} got ${count} of ${DOCUMENTS}`);
      } catch (error) {
        wrong.push(`seed ${seed}: ${kind} on ${name} failed: ${String(error)}`);
      }
    };
    let next = FIRST_SEED;
    const worker = async () => {
      while (next < FIRST_SEED + INTERLEAVINGS) await one(next++);
    };
    await settle(Array.from({ length: AT_ONCE }, worker), 1_000 * 1_000);
    expect(wrong).toEqual([]);
    expect(Object.values(done).every((times) => times > 0)).toBe(true);
    expect(cutPools).toEqual([]);
    expect(idleCloses).toBeGreaterThan(INTERLEAVINGS / 50);
  },
  1_000 * 1_000,
);
