import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { PolyModel, PolyMongoWrapper } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { type Item, wrapItems } from '../../support/items.js';
import { usePools } from '../../support/pools-fixture.js';
import { mulberry32 } from '../../support/random.js';
import { printedSeed } from '../../support/seed.js';

const SEED = printedSeed('clusters that stall');
const ROUNDS = Number(process.env.POLYMONGO_SEEDS ?? 3);
const CLUSTERS = 4;
/** As many as an index queue, or the sockets of a pool, would let in at a time, and more. */
const DATABASES = 6;
/** Longer than a test: nobody goes on because somebody else has waited long enough. */
const LONG_MS = 600_000;

const fixture = usePools();
let clusters: EmbeddedMongo[];
beforeAll(async () => {
  Logger.overrideLogger(false); // it would tell of each pool that waits
  clusters = await Promise.all(Array.from({ length: CLUSTERS }, () => EmbeddedMongo.start()));
});
afterAll(() => Promise.all(clusters.map((cluster) => cluster.stop())));

/** What a tenant does first: each needs a socket, a collection and its indexes. */
type Action = () => Promise<unknown>;

function actionsOn(polymongo: PolyMongoWrapper, all: PolyModel<Item>, name: string): Action[] {
  const items = all.db(name);
  return [
    () => items.create({ n: 1 }),
    () => polymongo.transaction(() => items.create({ n: 2 }), { db: name }),
    () => items.insertMany([{ n: 3 }, { n: 4 }]),
    () => items.findOne(),
  ];
}

it(`clusters that stall hold up no first write, transaction or provisioning on others (seeds ${SEED} to ${SEED + ROUNDS - 1})`, async () => {
  for (let seed = SEED; seed < SEED + ROUNDS; seed++) {
    const random = mulberry32(seed);
    const namesOf = (cluster: number) => Array.from({ length: DATABASES }, (_, i) => `s${seed}_${cluster}_${i}`);
    const isSick = clusters.map((_, i) => i > 0 && (i === 1 || random() < 0.5));
    const polymongo = fixture.create({
      maxPoolSize: 3,
      waitQueueTimeoutMS: LONG_MS,
      driverOptions: { serverSelectionTimeoutMS: LONG_MS, connectTimeoutMS: LONG_MS },
      tenant: {},
      dbSpecific: clusters.flatMap(({ uri }, i) =>
        namesOf(i).map((dbName) => ({
          dbName,
          mongoURI: uri,
          options: { maxConnections: 1 + Math.floor(random() * 2) },
        })),
      ),
    });
    const items = wrapItems(polymongo);
    const [sick, healthy]: [Action[], Action[]] = [[], []];
    for (const [i] of clusters.entries()) {
      for (const name of namesOf(i)) {
        if (random() < 0.5) await polymongo.pools.connect(name);
        (isSick[i] ? sick : healthy).push(...actionsOn(polymongo, items, name));
      }
    }
    for (let i = 0; i < DATABASES; i++) {
      healthy.push(...actionsOn(polymongo, items, `s${seed}_home_${i}`));
      healthy.push(() => polymongo.tenants.provision(`s${seed}-${i}`));
    }
    const shuffled = (actions: Action[]) => actions.map((each) => ({ each, at: random() })).sort((a, b) => a.at - b.at);

    for (const [i, cluster] of clusters.entries()) if (isSick[i]) cluster.stall(LONG_MS);
    try {
      let ended = 0;
      const waiting: Promise<unknown>[] = [];
      for (const { each } of shuffled(sick)) waiting.push(each().finally(() => ended++));
      const settled = Promise.allSettled(waiting);
      await Promise.all(shuffled(healthy).map(({ each }) => each()));
      expect([seed, ended]).toEqual([seed, 0]);
      for (const cluster of clusters) cluster.stall(0);
      expect((await settled).filter(({ status }) => status === 'rejected')).toEqual([]);
    } finally {
      for (const cluster of clusters) cluster.stall(0);
      await polymongo.actions.forceCloseAll();
    }
  }
}, 120_000);
