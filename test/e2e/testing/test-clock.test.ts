import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import mongoose, { Schema } from 'mongoose';
import { PolyMongoWrapper } from 'nestjs-polymongo';
import { TestClock } from 'nestjs-polymongo/testing';
import { startTestServer, type TestServer } from '../../support/test-server.js';
import { waitFor } from '../../support/wait-for.js';

let server: TestServer;
let clock: TestClock;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => {
  clock = TestClock.install();
});
afterEach(() => clock.uninstall());
afterAll(() => server.stop());

const notes = () => mongoose.model('ClockNote', new Schema({ text: String }), undefined, { overwriteModels: true });

it('a pool closes when it has been idle for its ttl, and opens again with the next call', async () => {
  const polymongo = new PolyMongoWrapper({ mongoURI: server.uri, handleSignals: false });
  polymongo.scale.setDB(['quiet'], { autoClose: true, ttl: 600_000 });
  const Note = polymongo.wrapModel(notes()).db('quiet');
  await Note.countDocuments();
  const pool = polymongo.pools.poolOf('quiet');
  await clock.advance(599_000);
  expect(pool.state).toBe('connected');
  await clock.advance(1000);
  await waitFor(() => pool.state === 'closed');
  await Note.countDocuments();
  expect(pool.state).toBe('connected');
  await polymongo.actions.closeAll();
});

it('whether a tenant exists is asked again when its answer no longer counts', async () => {
  const asked: string[] = [];
  const exists = (tenantId: string) => asked.push(tenantId) > 0;
  const polymongo = new PolyMongoWrapper({ mongoURI: server.uri, handleSignals: false, tenant: { exists } });
  const Note = polymongo.wrapModel(notes());
  const count = () => polymongo.tenants.run('acme', () => Note.tenant().countDocuments());
  await count();
  await count();
  expect(asked).toEqual(['acme']);
  await clock.advance(60_000);
  await count();
  expect(asked).toEqual(['acme', 'acme']);
  await polymongo.actions.closeAll();
});

it('a connect that failed is tried again after its delay', async () => {
  const polymongo = new PolyMongoWrapper({
    mongoURI: 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=1',
    handleSignals: false,
    retry: { attempts: 2, delayMS: 1_000_000 },
  });
  const failed = polymongo
    .wrapModel(notes())
    .countDocuments()
    .then(
      () => undefined,
      (error: Error) => error.message,
    );
  let isOver = false;
  void failed.then(() => (isOver = true));
  while (!isOver) await clock.advance(1_000_000);
  expect(await failed).toMatch(/Max reconnection attempts reached/);
  await polymongo.actions.closeAll();
});
