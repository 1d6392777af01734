import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PolyMongoWrapper } from '../../lib/polymongo.wrapper.js';
import { EmbeddedMongo } from '../../lib/testing/index.js';

const KILLS = 20; // import-kill.mjs does it 100 times, to processes
const DOCUMENTS = 1500;

let kills = 0;
let mongo: EmbeddedMongo;
beforeAll(async () => {
  mongo = await EmbeddedMongo.start();
});
afterAll(() => mongo.stop());

/** A file that comes in slowly, so that there is a middle to be killed in. */
async function* file(): AsyncGenerator<Uint8Array> {
  const text = `"text":"${'x'.repeat(300)}"`;
  const lines = Array.from({ length: DOCUMENTS }, (_, i) =>
    i % 3 ? `{"_id":${i},"n":${i},${text}}` : `{"n":${i},${text}}`,
  );
  const bytes = Buffer.from(`{"collections":{\n"c":{"documents":[\n${lines.join(',\n')}\n],"indexes":[]}}}`);
  for (let at = 0; at < bytes.length; at += 16_384) {
    yield bytes.subarray(at, at + 16_384);
    await sleep(1);
  }
}

/** Imports the file, and kills the client or the server after a while. @returns whether the import was done before */
async function importAndKill(database: string, killsServer: boolean): Promise<boolean> {
  const wrapper = new PolyMongoWrapper({ mongoURI: mongo.uri, shutdownTimeoutMS: 100, handleSignals: false });
  let isRunning = true;
  const importing = wrapper.bulkTasks.importStream(database, file(), { resumeFrom: 'start' }).then(
    () => true,
    () => false,
  );
  void importing.then(() => (isRunning = false));
  await sleep(Math.random() * 100);
  if (isRunning) {
    kills++;
    if (killsServer) await mongo.restart();
    else await wrapper.actions.forceCloseAll();
  }
  const isDone = await importing;
  await wrapper.actions.forceCloseAll();
  return isDone;
}

async function expectEveryDocumentOnce(database: string): Promise<void> {
  const wrapper = new PolyMongoWrapper({ mongoURI: mongo.uri, handleSignals: false });
  const found = await wrapper.pools.database(database).connection.collection('c').find().toArray();
  const numbers = found.map(({ n }) => n as number).sort((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: DOCUMENTS }, (_, i) => i));
  await wrapper.bulkTasks.dropDatabase(database);
  await wrapper.actions.closeAll();
}

test(`an import killed at ${KILLS} random moments, by its client or its server, has every document exactly once`, async () => {
  for (let round = 0; kills < KILLS; round++) {
    const database = `round_${round}`;
    while (!(await importAndKill(database, kills % 2 === 0)));
    await expectEveryDocumentOnce(database);
  }
}, 240_000);
