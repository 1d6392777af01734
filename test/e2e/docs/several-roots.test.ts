import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { uniqueName } from '../../support/database-names.js';
import { startHttpApp } from '../../support/http-app.js';
import * as page from './several-roots.js';

let servers: EmbeddedMongo[];
let app: INestApplication<App>;
beforeAll(async () => {
  servers = await Promise.all([EmbeddedMongo.start(), EmbeddedMongo.start()]);
  const [main, audit] = servers.map(({ uri }) => uri);
  app = await startHttpApp({ imports: [page.modules(main!, audit!, uniqueName('audit'))] });
});
afterAll(async () => {
  await app?.close();
  for (const server of servers ?? []) await server.stop();
});

it('the code of docs/several-roots.md does what the page says', async () => {
  const order = (shop: string, org: string) =>
    request(app.getHttpServer()).post('/orders').set({ 'x-shop': shop, authorization: org });
  await order('acme', 'globex').expect(201);
  await order('globex', 'globex').expect(201);
  await order('acme', 'No Id').expect(400);
  const retention = app.get(page.Retention);
  expect(await retention.count('globex')).toBe(2);
  expect(await retention.count('acme')).toBe(0);
  await page.partsOf(app).provision('globex');
  expect([...(await retention.countAll())]).toMatchObject([{ tenantId: 'globex', value: 2 }]);
  expect(retention.failures).toEqual([]);
});
