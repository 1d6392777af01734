import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PolyMongoWrapper } from '../../../lib/polymongo.wrapper.js';
import { BulkFixture, readAll } from './bulk.fixture.js';

const COLLECTIONS = 60;
let fixture: BulkFixture;
let wrapper: PolyMongoWrapper;
let name: string;
beforeAll(async () => {
  fixture = await BulkFixture.start();
  name = fixture.name();
  const entries = Array.from({ length: COLLECTIONS }, (_, i) => [`c${i}`, { documents: [], indexes: [] }]);
  await fixture.bulk.import(name, { database: '', exportDate: '', collections: Object.fromEntries(entries) });
  const driverOptions = { monitorCommands: true };
  wrapper = new PolyMongoWrapper({
    mongoURI: fixture.server.uri,
    maxPoolSize: 20,
    driverOptions,
    handleSignals: false,
  });
});
afterAll(async () => {
  await wrapper.actions.closeAll();
  await fixture.stop();
});

/** The most commands that ran at a time while `work` did, and how many asked for indexes. */
async function commandsOf(work: () => Promise<unknown>): Promise<{ atATime: number; listed: number }> {
  const client = (await wrapper.pools.database(name).connection.asPromise()).getClient();
  const running = new Set<number>();
  let [atATime, listed] = [0, 0];
  const started = ({ requestId, commandName }: { requestId: number; commandName: string }) => {
    if (commandName === 'listIndexes') listed++;
    atATime = Math.max(atATime, running.add(requestId).size);
  };
  const ended = ({ requestId }: { requestId: number }) => running.delete(requestId);
  client.on('commandStarted', started).on('commandSucceeded', ended).on('commandFailed', ended);
  await work();
  client.off('commandStarted', started).off('commandSucceeded', ended).off('commandFailed', ended);
  return { atATime, listed };
}

describe('what many collections are is asked of a few at a time, so that nobody waits for sockets:', () => {
  test.each([
    ['an export', () => readAll(wrapper.bulkTasks.exportStream(name))],
    ['a copy', () => wrapper.bulkTasks.copyDatabase(name, fixture.name(), { dryRun: true })],
    ['an export of some documents', () => readAll(wrapper.bulkTasks.exportStream(name, { query: { c1: { a: 1 } } }))],
  ])('%s', async (_, work) => {
    const { atATime, listed } = await commandsOf(work);
    expect(listed).toBe(COLLECTIONS);
    expect(atATime).toBeGreaterThan(1);
    expect(atATime).toBeLessThanOrEqual(8);
  });
});

test.each([NaN, 0, -1, 1.5, Infinity])('a copy of %s collections at a time is refused', async (concurrency) => {
  await expect(wrapper.bulkTasks.copyDatabase(name, fixture.name(), { concurrency })).rejects.toThrow(
    'concurrency must be a whole number of at least 1',
  );
});
