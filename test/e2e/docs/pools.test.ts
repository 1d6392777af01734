import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { DynamicModule } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import mongoose from 'mongoose';
import { PolyMongoModule, PolyMongoPools, PolyMongoWrapper, getPolyModelToken, type PolyModel } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { waitFor } from '../../support/wait-for.js';
import * as page from './pools.js';

let [main, other]: EmbeddedMongo[] = [];
beforeAll(async () => {
  [main, other] = await Promise.all([EmbeddedMongo.start(), EmbeddedMongo.start()]);
  jest.spyOn(console, 'log').mockImplementation(() => {});
});
afterAll(() => Promise.all([main?.stop(), other?.stop()]));

async function start(root: DynamicModule) {
  const feature = PolyMongoModule.forFeature([{ name: 'Order', schema: new mongoose.Schema({ total: Number }) }]);
  const app = await Test.createTestingModule({ imports: [root, feature], providers: [page.DatabaseLog] }).compile();
  await app.init();
  const orders = app.get<PolyModel<{ total: number }>>(getPolyModelToken('Order'));
  return { app, orders, polymongo: app.get(PolyMongoWrapper), pools: app.get(PolyMongoPools) };
}

it('the code of docs/pools.md does what the page says', async () => {
  const { app, orders, polymongo, pools } = await start(page.configured(main!.uri, other!.uri));
  expect(pools.poolOf('billing').state).toBe('connected');
  await orders.db('reports').create({ total: 1 });
  expect(pools.primary.state).toBe('cold');

  await page.atRunTime(polymongo, orders);
  expect(['acme', 'globex', 'initech'].map((name) => pools.poolOf(name).state)).toEqual(Array(3).fill('connected'));
  await pools.ensureIndexes('acme');
  expect(await page.raw(pools)).toEqual([]);
  page.hooked(polymongo);
  await waitFor(() => pools.connectionOf('acme').collection('visits').countDocuments()); // nobody waits for connect hooks
  const { separateDB, collections, clusters } = await page.observed(polymongo);
  expect(separateDB).toHaveLength(5);
  expect(collections.map(({ name }) => name).sort()).toEqual(['orders', 'visits']);
  expect(clusters.map(({ dbName }) => dbName)).toContain('reports');

  await page.ended(polymongo);
  await app.close();
});

it.each([
  ['budgets', page.budgets],
  ['retry', page.patient],
])('the options for %s are options', async (_, options) => {
  const { app, orders } = await start(options(main!.uri));
  expect(await orders.countDocuments()).toBe(0);
  await app.close();
});
