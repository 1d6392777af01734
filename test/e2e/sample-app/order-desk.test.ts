import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { PolyMongoWrapper } from 'nestjs-polymongo';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { AppModule } from '../../../sample-app/app.module.js';
import { startHttpApp } from '../../support/http-app.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

let server: TestServer;
let app: INestApplication<App>;
const desk = () => request(app.getHttpServer());
const as = (shop: string) => ({
  post: (body: object) => desk().post('/orders').set('x-tenant-id', shop).send(body),
  get: (path = '') => desk().get(`/orders${path}`).set('x-tenant-id', shop),
  patch: (id: string, body: object) => desk().patch(`/orders/${id}`).set('x-tenant-id', shop).send(body),
});

beforeAll(async () => {
  server = await startTestServer();
  app = await startHttpApp({ imports: [AppModule.with(server.uri)] });
  await dropOrders();
});
afterAll(async () => {
  await dropOrders();
  await app.close();
  await server.stop();
});

async function dropOrders(): Promise<void> {
  const { pools } = app.get(PolyMongoWrapper);
  for (const shop of ['bakery', 'bikes', 'books'])
    await pools.database(`shop_${shop}`).run(() => pools.connectionOf(`shop_${shop}`).dropDatabase());
}

describe('the order desk', () => {
  it('creates, lists, changes and totals the orders of one shop', async () => {
    const { body: order } = await as('books').post({ item: 'atlas', quantity: 2, price: 32 }).expect(201);
    expect(order).toMatchObject({ item: 'atlas', quantity: 2, price: 32, state: 'open' });
    await as('books').post({ item: 'novel', quantity: 1, price: 11 }).expect(201);
    expect((await as('books').get().expect(200)).body).toHaveLength(2);
    expect((await as('books').patch(order._id, { state: 'sent' }).expect(200)).body).toMatchObject({ state: 'sent' });
    expect((await as('books').get('/total').expect(200)).body).toEqual({ orders: 2, pieces: 3, revenue: 75 });
  });

  it('takes the shop from the subdomain too', async () => {
    const { body } = await desk().get('/orders/total').set('host', 'books.example.com').expect(200);
    expect(body.orders).toBe(2);
  });

  it('answers 400, and touches no database, without a tenant or with a malformed one', async () => {
    const missing = await desk().get('/orders').set('host', '127.0.0.1').expect(400);
    expect(missing.body.message).toMatch(/No tenant/);
    for (const hostile of ['../admin', '$where', 'A', 'a.b', '', 'x'.repeat(80)]) {
      const { body } = await as(hostile).get().expect(400);
      expect(body.message).toMatch(/Invalid tenant id/);
    }
  });

  it('needs no tenant for the catalogue, the statistics and the page', async () => {
    const host = '127.0.0.1';
    expect(
      (await desk().get('/catalogue').set('host', host).expect(200)).body.map((shop: { id: string }) => shop.id),
    ).toEqual(['bakery', 'bikes', 'books']);
    const { body: stats } = await desk().get('/stats').set('host', host).expect(200);
    expect(stats.primary.sharedDatabases).toContain('catalogue');
    expect((await desk().get('/').set('host', host).expect(200)).text).toContain('<title>Order desk</title>');
  });

  it('serves the shop with a pool of its own from that pool', async () => {
    await as('bikes').post({ item: 'bell', quantity: 1, price: 12.5 }).expect(201);
    const { body: stats } = await desk().get('/stats').expect(200);
    const bikes = stats.separateDB.find(({ dbName }: { dbName: string }) => dbName === 'shop_bikes');
    expect(bikes).toMatchObject({ readyState: 1, isInitialized: true, poolStats: { maxPoolSize: 5 } });
    expect(bikes.poolStats.totalConnections).toBeGreaterThan(0);
  });

  it('answers what the schema refuses with 400 and the reason', async () => {
    const { body } = await as('bakery').post({ item: 'air', quantity: 0, price: 1 }).expect(400);
    expect(body.message).toMatch(/quantity/);
    await as('bakery').patch('not-an-id', { state: 'sent' }).expect(400);
    await as('bakery').patch('0123456789abcdef01234567', { state: 'sent' }).expect(404);
  });

  it('never shows a shop the orders of another, however they interleave', async () => {
    const shops = ['bakery', 'bikes', 'books'];
    await dropOrders();
    await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const shop = shops[i % 3]!;
        if (i % 2)
          await as(shop)
            .post({ item: `${shop} ${i}`, quantity: 1, price: 1 })
            .expect(201);
        const { body } = await as(shop).get().expect(200);
        for (const order of body) if (!order.item.startsWith(shop)) throw new Error(`${shop} was shown ${order.item}`);
      }),
    );
    for (const shop of shops) expect((await as(shop).get('/total').expect(200)).body.orders).toBe(50);
  });
});
