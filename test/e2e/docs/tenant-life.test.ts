import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { PolyMongoModule, PolyMongoWrapper } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import * as page from './tenant-life.js';

let mongo: EmbeddedMongo;
let folder: string;
beforeAll(async () => {
  mongo = await EmbeddedMongo.start();
  folder = await mkdtemp(join(tmpdir(), 'life-'));
});
afterAll(async () => {
  await mongo.stop();
  await rm(folder, { recursive: true });
});

it('the code of docs/tenant-life.md does what the page says', async () => {
  const log = jest.spyOn(console, 'log').mockImplementation(() => {});
  const options = { mongoURI: mongo.uri, handleSignals: false, shutdownTimeoutMS: 50 };
  const polymongo = new PolyMongoWrapper({ ...options, tenant: { suspension: { withinMS: 100 } } });
  const { tenants } = polymongo;
  await tenants.provision('acme');
  const disconnected: unknown[] = [];
  await page.suspending(tenants, { disconnect: (...told) => disconnected.push(told) });
  expect(disconnected).toEqual([['acme', 'unpaid']]);
  expect(await page.looking(tenants)).toEqual([]); // it was made just now
  await page.backingUp(tenants, folder);
  expect(await tenants.list()).toEqual(['acme', 'acme-test', 'acme-then']);
  expect(log.mock.calls).toEqual([['acme'], ['acme', true], ['acme-then'], ['acme']]); // suspended while it is put in place
  log.mockRestore();
  const elsewhere = await EmbeddedMongo.start();
  const moving = new PolyMongoWrapper({
    ...options,
    tenant: { suspension: { withinMS: 100 } },
    clusters: { 'eu-2': { mongoURI: elsewhere.uri } },
  });
  await page.moving(moving.tenants);
  expect(await moving.tenants.find({ cluster: 'eu-2' })).toMatchObject([{ tenantId: 'acme' }]);
  await moving.actions.closeAll();
  await elsewhere.stop();
  expect(page.rootOf(mongo.uri).module).toBe(PolyMongoModule);
  await polymongo.actions.closeAll();
});
