import { afterEach, expect, it, jest } from '@jest/globals';
import { createRequire } from 'node:module';
import { Schema } from 'mongoose';
import { usePools } from '../../support/pools-fixture.js';

const fixture = usePools();
/** A time that nobody else's timer has. */
const WAIT_MS = 12_345;

// What the driver takes its timers from.
const timers = createRequire(import.meta.url)('node:timers') as { setTimeout: typeof setTimeout };
const timersMade = () => {
  const spy = jest.spyOn(timers, 'setTimeout');
  return () => spy.mock.calls.filter(([, delayMS]) => delayMS === WAIT_MS).length;
};
afterEach(() => void jest.restoreAllMocks());

it('a call that finds a free socket has no timer for the wait for one; any other, and work of the driver itself, has', async () => {
  const polymongo = fixture.create({ waitQueueTimeoutMS: WAIT_MS, maxPoolSize: 4 });
  const items = polymongo.models.define({ name: 'Item', schema: new Schema({ n: Number }) });
  const model = polymongo.wrapModel(items).db('waits');
  await model.create({ n: 1 });
  const made = timersMade();
  await model.findOne();
  await model.find().lean();
  await model.updateOne({ n: 1 }, { n: 2 });
  expect(made()).toBe(0);
  await Promise.all([model.findOne(), model.findOne()]); // one of them has to wait for its socket to be opened
  expect(made()).toBe(1);
  await polymongo.pools.run('waits', (connection) => connection.db!.collection('items').findOne());
  expect(made()).toBe(2);
});
