import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { PolyMongoPools, PolyMongoWrapper } from 'nestjs-polymongo';
import { collectPrometheusMetrics, PolyMongoPrometheusModule } from 'nestjs-polymongo/prometheus';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { register, Registry } from 'prom-client';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { MetricsModule } from '../docs/metrics.js';
import { waitFor } from '../../support/wait-for.js';
import { addNote, listNotes, startNotes } from './metrics.app.js';

let server: EmbeddedMongo;
let app: INestApplication<App> | undefined;
beforeAll(async () => void (server = await EmbeddedMongo.start()));
afterEach(async () => {
  await app?.close();
  app = undefined;
});
afterAll(() => server.stop());

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}
/** The lines of Prometheus's text format. */
function parse(text: string): Sample[] {
  return text
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => {
      const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line)!;
      const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text]);
      return { name: name!, labels: Object.fromEntries(pairs), value: Number(value) };
    });
}
const scrape = async (registry: Registry) => parse(await registry.metrics());
const find = (samples: Sample[], name: string, labels: Record<string, string> = {}) =>
  samples.filter(
    (sample) => sample.name === name && Object.entries(labels).every(([key, text]) => sample.labels[key] === text),
  );
const DURATION = 'db_client_operation_duration_seconds_count';

describe('PolyMongoPrometheusModule', () => {
  it('counts operations by command, collection and tenant, and failures by their code', async () => {
    app = await startNotes({ mongoURI: server.uri }, MetricsModule);
    await addNote(app, 'acme', 1).expect(201);
    await addNote(app, 'acme', 1).expect(500);
    await listNotes(app, 'acme');
    await request(app.getHttpServer()).get('/notes/main').expect(200);

    const { text, headers } = await request(app.getHttpServer()).get('/metrics').expect(200);
    expect(headers['content-type']).toMatch(/^text\/plain; ?version=0\.0\.4/);
    const samples = parse(text);
    const acme = { db_system_name: 'mongodb', db_namespace: 'tenant_acme', polymongo_tenant: 'acme' };
    const notes = { ...acme, db_collection_name: 'notes' };
    expect(find(samples, DURATION, { ...notes, db_operation_name: 'insert', error_type: '' })).toMatchObject([
      { value: 1 },
    ]);
    expect(find(samples, DURATION, { ...notes, db_operation_name: 'insert', error_type: '11000' })).toMatchObject([
      { value: 1 },
    ]);
    expect(find(samples, DURATION, { ...notes, db_operation_name: 'find' })).toMatchObject([{ value: 1 }]);
    expect(find(samples, DURATION, { db_namespace: 'default', db_operation_name: 'aggregate' })).toMatchObject([
      { value: 1, labels: { polymongo_tenant: '' } },
    ]);
  });

  it('tells the first tenants apart for the life of the process, and no database of the others', async () => {
    const registry = new Registry();
    app = await startNotes({ mongoURI: server.uri }, PolyMongoPrometheusModule.forRoot({ registry, maxTenants: 2 }));
    for (const tenant of ['first', 'second', 'third', 'fourth', 'first', 'third']) await listNotes(app, tenant);
    const finds = find(await scrape(registry), DURATION, { db_operation_name: 'find' });
    expect(finds.map(({ labels, value }) => [labels['polymongo_tenant'], labels['db_namespace'], value])).toEqual([
      ['first', 'tenant_first', 2],
      ['second', 'tenant_second', 1],
      ['other', 'other', 3],
    ]);
  });

  it('with listed tenants knows no other', async () => {
    const registry = new Registry();
    app = await startNotes({ mongoURI: server.uri }, PolyMongoPrometheusModule.forRoot({ registry, tenants: ['vip'] }));
    for (const tenant of ['walk_in', 'vip']) await listNotes(app, tenant);
    const finds = find(await scrape(registry), DURATION, { db_operation_name: 'find' });
    expect(finds.map(({ labels }) => labels['polymongo_tenant'])).toEqual(['other', 'vip']);
  });

  it('tells the sockets of each pool, who waits for one and how long, and who waited in vain', async () => {
    const registry = new Registry();
    app = await startNotes(
      { mongoURI: server.uri, maxPoolSize: 1, waitQueueTimeoutMS: 300 },
      PolyMongoPrometheusModule.forRoot({ registry }),
    );
    const pool = { db_client_connection_pool_name: 'default' };
    const items = app.get(PolyMongoPools).connectionOf('default').collection('items');
    await items.countDocuments();
    server.stall(700);
    const calls = [1, 2].map(() =>
      items.countDocuments().then(
        () => 'done',
        (error: Error) => error.name,
      ),
    );
    await waitFor(
      async () => find(await scrape(registry), 'db_client_connection_pending_requests', pool)[0]!.value === 1,
    );
    const during = await scrape(registry);
    expect(find(during, 'db_client_connection_count', { ...pool, db_client_connection_state: 'used' })[0]!.value).toBe(
      1,
    );
    expect(find(during, 'db_client_connection_count', { ...pool, db_client_connection_state: 'idle' })[0]!.value).toBe(
      0,
    );
    expect(find(during, 'db_client_connection_max', pool)[0]!.value).toBe(1);
    expect(await Promise.all(calls)).toEqual(['done', 'PoolQueueTimeoutError']);

    server.stall(100);
    await Promise.all([items.countDocuments(), items.countDocuments()]);
    const after = await scrape(registry);
    const of = (name: string) => find(after, name, pool)[0]!.value;
    expect(of('db_client_connection_timeouts_total')).toBe(1);
    expect(of('db_client_connection_create_time_seconds_count')).toBe(1);
    expect(of('db_client_connection_wait_time_seconds_count')).toBe(of('db_client_connection_use_time_seconds_count'));
    expect(of('db_client_connection_wait_time_seconds_sum')).toBeGreaterThan(0.05); // its turn came when the other was done
    expect(of('db_client_connection_use_time_seconds_sum')).toBeGreaterThan(0.05);
  });

  it('tells the busiest tenants of the moment, and the others together', async () => {
    const registry = new Registry();
    app = await startNotes({ mongoURI: server.uri }, PolyMongoPrometheusModule.forRoot({ registry, maxTenants: 1 }));
    for (const tenant of ['calm', 'busy']) await listNotes(app, tenant);
    server.stall(500);
    const requests = ['calm', 'busy', 'busy'].map((tenant) => listNotes(app!, tenant).then(() => {}));
    const running = async () =>
      find(await scrape(registry), 'polymongo_tenant_operations', { polymongo_operation_state: 'running' }).map(
        ({ labels, value }) => [labels['polymongo_tenant'], value],
      );
    await waitFor(
      async () =>
        JSON.stringify(await running()) ===
        JSON.stringify([
          ['busy', 2],
          ['other', 1],
        ]),
    );
    await Promise.all(requests);
    expect(await running()).toEqual([['other', 0]]);
  });

  it('takes its metrics away with the application, and refuses a registry that has them', async () => {
    const registry = new Registry();
    app = await startNotes({ mongoURI: server.uri }, PolyMongoPrometheusModule.forRoot({ registry }));
    const again = collectPrometheusMetrics(app.get(PolyMongoWrapper), { registry });
    await expect(again).rejects.toThrow('has a metric db_client_operation_duration_seconds already');
    await app.close();
    app = undefined;
    expect(await registry.metrics()).not.toContain('db_client');
    expect(await register.metrics()).not.toContain('db_client');
  });
});
