import { afterEach, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import {
  PolyMongoHealth,
  PolyMongoModule,
  PolyMongoPools,
  PolyMongoWrapper,
  type PolyMongoOptions,
} from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { HealthModule } from '../docs/health.js';
import { ProbeController } from '../docs/health.plain.js';
import { freePort } from '../../support/free-port.js';
import { startHttpApp } from '../../support/http-app.js';
import { MortalServer } from '../../support/mortal-server.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { waitFor } from '../../support/wait-for.js';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
const endWith = <T>(value: T, end: (value: T) => Promise<unknown>): T => {
  ends.push(() => end(value));
  return value;
};

async function startServer(): Promise<EmbeddedMongo> {
  return endWith(await EmbeddedMongo.start(), (server) => server.stop());
}
async function startProxy(server: EmbeddedMongo): Promise<TcpProxy> {
  return endWith(await TcpProxy.to(server.port), (proxy) => proxy.stop());
}
const direct = (port: number) => `mongodb://127.0.0.1:${port}/?directConnection=true`;

async function startApp(options: PolyMongoOptions): Promise<INestApplication<App>> {
  const app = await startHttpApp({ imports: [PolyMongoModule.forRoot(options), HealthModule] });
  ends.push(async () => {
    await app.get(PolyMongoWrapper).actions.forceCloseAll();
    await app.close();
  });
  return app;
}

interface Answer {
  status: string;
  details: { mongodb: Awaited<ReturnType<PolyMongoHealth['check']>> & { status: string } };
}
async function ready(app: INestApplication<App>) {
  const { status, body } = await request(app.getHttpServer()).get('/health/ready');
  const { mongodb } = (body as Answer).details;
  const pools = mongodb.clusters.flatMap((cluster) => cluster.pools);
  return { code: status, mongodb, states: pools.map(({ state }) => state), pools, text: JSON.stringify(body) };
}

describe('PolyMongoHealthIndicator', () => {
  it('finds a pool that nobody has used healthy, opens none, and measures the ping of an open one', async () => {
    const server = await startServer();
    const app = await startApp({ mongoURI: server.uri });
    expect(await ready(app)).toMatchObject({ code: 200, states: ['cold'] });
    expect(app.get(PolyMongoWrapper).isConnected()).toBe(false);

    await app.get(PolyMongoPools).connect('default');
    expect(await ready(app)).toMatchObject({
      code: 200,
      mongodb: {
        status: 'up',
        isShuttingDown: false,
        clusters: [{ cluster: `127.0.0.1:${server.port}`, isHealthy: true, pingMS: expect.any(Number) }],
      },
      pools: [{ pool: 'default', isHealthy: true, state: 'connected', inUse: 0, waiting: 0, maxPoolSize: 10 }],
    });
  });

  it('says why a connect failed, without the password, and sees by itself that the server came', async () => {
    const port = await freePort();
    const mongoURI = `mongodb://someone:s3cretword@127.0.0.1:${port}/?authSource=admin`;
    const app = await startApp({ mongoURI, driverOptions: { serverSelectionTimeoutMS: 100 } });
    await expect(app.get(PolyMongoPools).connect('default')).rejects.toThrow('ECONNREFUSED');
    const { code, states, pools, text } = await ready(app);
    expect({ code, states }).toEqual({ code: 503, states: ['failed'] });
    expect(pools[0]!.reason).toMatch(/ECONNREFUSED/);
    expect(text).not.toMatch(/s3cretword|someone/);

    const users = [{ username: 'someone', password: 's3cretword' }];
    endWith(await EmbeddedMongo.start({ port, users }), (server) => server.stop());
    expect(await waitFor(async () => (await ready(app)).code === 200)).toBe(true);
  });

  it('waits for a pool that connects, and no longer than it may', async () => {
    const app = await startApp({ mongoURI: direct(await freePort()) });
    app
      .get(PolyMongoPools)
      .connect('default')
      .catch(() => {});
    const { code, states, pools } = await ready(app);
    expect({ code, states }).toEqual({ code: 503, states: ['connecting'] });
    expect(pools[0]!.reason).toMatch(/ECONNREFUSED/);
  });

  it('tells lost servers from a pool that is used up: the first is down, the second works', async () => {
    const server = await MortalServer.start();
    endWith(server, (each) => each.kill());
    const proxy = endWith(await TcpProxy.to(server.port), (each) => each.stop());
    const app = await startApp({ mongoURI: direct(proxy.port), maxPoolSize: 1 });
    const pools = app.get(PolyMongoPools);
    await pools.connect('default');

    proxy.halfOpen();
    const items = pools.connectionOf('default').collection('items');
    const calls = [1, 2].map(() => items.countDocuments().catch(() => undefined));
    await waitFor(() => pools.primary.stats.waitQueueSize > 0);
    expect(await ready(app)).toMatchObject({ code: 200, pools: [{ state: 'saturated', inUse: 1, waiting: 1 }] });
    const health = app.get(PolyMongoHealth);
    expect(await health.check({ isSaturatedHealthy: false })).toMatchObject({
      isHealthy: false,
      clusters: [{ pools: [{ reason: '1 calls wait for one of 1 sockets' }] }],
    });

    proxy.refuse();
    proxy.drop();
    await waitFor(async () => (await ready(app)).states.includes('reconnecting'));
    expect(await ready(app)).toMatchObject({ code: 503, states: ['reconnecting'] });
    proxy.heal();
    await proxy.accept();
    expect(await waitFor(async () => (await ready(app)).code === 200)).toBe(true);
    await Promise.all(calls);
  });

  it('is down when a ping is not answered in time', async () => {
    const proxy = await startProxy(await startServer());
    const app = await startApp({ mongoURI: direct(proxy.port) });
    await app.get(PolyMongoPools).connect('default');
    proxy.halfOpen();
    expect(await ready(app)).toMatchObject({
      code: 503,
      pools: [{ state: 'unresponsive', reason: expect.stringMatching(/^no answer to a ping within \d+ ms$/) }],
    });
    await waitFor(() => app.get(PolyMongoPools).primary.stats.inUseConnections === 0); // the ping was given up
  });

  it('lets no other cluster take the application away, unless it is required', async () => {
    const server = await startServer();
    const other = `mongodb://127.0.0.1:${await freePort()}/`;
    const app = await startApp({
      mongoURI: server.uri,
      dbSpecific: [{ dbName: 'billing', mongoURI: other }],
      driverOptions: { serverSelectionTimeoutMS: 100 },
    });
    await app.get(PolyMongoPools).connect('default');
    await expect(app.get(PolyMongoPools).connect('billing')).rejects.toThrow('ECONNREFUSED');
    expect(await ready(app)).toMatchObject({
      code: 200,
      mongodb: { clusters: [{ isHealthy: true }, { isHealthy: false, pools: [{ pool: 'billing', state: 'failed' }] }] },
    });
    const health = app.get(PolyMongoHealth);
    expect((await health.check({ required: 'all' })).isHealthy).toBe(false);
    expect((await health.check({ required: ['billing'] })).isHealthy).toBe(false);
    expect((await health.check({ required: ['shared'] })).isHealthy).toBe(true);
    await expect(health.check({ timeoutMs: 5 } as never)).rejects.toThrow('Did you mean health.timeoutMS?');
  });

  it('keeps no pool open that is to close when nobody uses it', async () => {
    const server = await startServer();
    const dbSpecific = [{ dbName: 'reports', options: { autoClose: true, ttl: 30 } }];
    const app = await startApp({ mongoURI: server.uri, dbSpecific });
    await app.get(PolyMongoPools).connect('reports');
    await waitFor(async () => (await ready(app)).states[1] === 'cold');
    expect(app.get(PolyMongoPools).poolOf('reports').state).toBe('closed');
  });

  it('is down as soon as the application ends', async () => {
    const server = await startServer();
    const app = await startApp({ mongoURI: server.uri });
    await app.get(PolyMongoWrapper).actions.closeAll();
    expect(await ready(app)).toMatchObject({ code: 503, mongodb: { status: 'down', isShuttingDown: true } });
  });
});

it('liveness asks no database', async () => {
  const app = await startApp({ mongoURI: direct(await freePort()) });
  await request(app.getHttpServer()).get('/health/live').expect(200);
});

it('a probe needs no terminus', async () => {
  const server = await startServer();
  const app = await startHttpApp({
    imports: [PolyMongoModule.forRoot({ mongoURI: server.uri })],
    controllers: [ProbeController],
  });
  ends.push(() => app.close());
  await request(app.getHttpServer()).get('/health/live').expect(200);
  await request(app.getHttpServer()).get('/health/ready').expect(200);
  await app.get(PolyMongoWrapper).actions.closeAll();
  const { body } = await request(app.getHttpServer()).get('/health/ready').expect(503);
  expect(body).toMatchObject({ isHealthy: false, isShuttingDown: true });
});
