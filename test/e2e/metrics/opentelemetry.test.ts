import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { context, metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { PolyMongoPools } from 'nestjs-polymongo';
import { PolyMongoOpenTelemetryModule } from 'nestjs-polymongo/opentelemetry';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import type { App } from 'supertest/types.js';
import { ObservabilityModule } from '../docs/tracing.js';
import { Contexts, RecordingMeter, RecordingTracer } from '../../support/opentelemetry.js';
import { addNote, listNotes, startNotes } from './metrics.app.js';

let server: EmbeddedMongo;
let app: INestApplication<App> | undefined;
beforeAll(async () => {
  server = await EmbeddedMongo.start();
  context.setGlobalContextManager(new Contexts());
});
afterEach(async () => {
  await app?.close();
  app = undefined;
});
afterAll(() => server.stop());

describe('a span for each operation', () => {
  it('says database, collection, tenant and pool, and of a failure its code and no value', async () => {
    const tracerProvider = new RecordingTracer();
    app = await startNotes(
      { mongoURI: server.uri },
      PolyMongoOpenTelemetryModule.forRoot({ tracerProvider, meterProvider: false }),
    );
    await addNote(app, 'acme', 7).expect(201);
    const attributes = {
      'db.system.name': 'mongodb',
      'db.namespace': 'tenant_acme',
      'db.collection.name': 'notes',
      'db.operation.name': 'insert',
      'polymongo.tenant': 'acme',
      'db.client.connection.pool.name': 'default',
    };
    const insert = () => tracerProvider.spans.find(({ name }) => name === 'insert notes');
    expect(insert()).toEqual({
      name: 'insert notes',
      kind: SpanKind.CLIENT,
      attributes,
      parent: undefined,
      status: undefined,
      isEnded: true,
    });
    tracerProvider.spans.length = 0;
    await addNote(app, 'acme', 7).expect(500);
    const failed = { 'error.type': '11000', 'db.response.status_code': '11000' };
    expect(insert()).toMatchObject({ status: SpanStatusCode.ERROR, attributes: { ...attributes, ...failed } });
    expect(JSON.stringify(tracerProvider.spans)).not.toContain('dup key');
  });

  it('is under the span that was active at the call, also of a query that was made before', async () => {
    const tracerProvider = new RecordingTracer();
    app = await startNotes(
      { mongoURI: server.uri },
      PolyMongoOpenTelemetryModule.forRoot({ tracerProvider, meterProvider: false }),
    );
    const items = app.get(PolyMongoPools).connectionOf('default').collection('items');
    await items.insertMany(Array.from({ length: 5 }, (_, n) => ({ n })));
    const cursor = items.find({}, { batchSize: 2 });
    await tracerProvider.startActiveSpan('request', async () => cursor.toArray());
    const read = tracerProvider.spans.filter(({ parent }) => parent === 'request').map(({ name }) => name);
    expect(read).toEqual(['find items', 'getMore items', 'getMore items']);
  });
});

describe('the metrics', () => {
  it('are those of the conventions, with tenants bounded', async () => {
    const [meterProvider, tracerProvider] = [new RecordingMeter(), new RecordingTracer()];
    metrics.setGlobalMeterProvider(meterProvider);
    trace.setGlobalTracerProvider(tracerProvider);
    app = await startNotes({ mongoURI: server.uri }, ObservabilityModule);
    for (const tenant of ['acme', 'initech']) await listNotes(app, tenant);

    expect(Object.fromEntries(meterProvider.instruments)).toEqual({
      'db.client.operation.duration': { kind: 'histogram', unit: 's' },
      'db.client.connection.create_time': { kind: 'histogram', unit: 's' },
      'db.client.connection.wait_time': { kind: 'histogram', unit: 's' },
      'db.client.connection.use_time': { kind: 'histogram', unit: 's' },
      'db.client.connection.timeouts': { kind: 'counter', unit: '{timeout}' },
      'db.client.connection.count': { kind: 'observable up-down counter', unit: '{connection}' },
      'db.client.connection.pending_requests': { kind: 'observable up-down counter', unit: '{request}' },
      'db.client.connection.max': { kind: 'observable up-down counter', unit: '{connection}' },
      'polymongo.tenant.operations': { kind: 'observable gauge', unit: '{operation}' },
    });
    const finds = meterProvider
      .of('db.client.operation.duration')
      .filter(({ attributes }) => attributes['db.operation.name'] === 'find');
    expect(finds.map(({ attributes }) => attributes)).toEqual(
      ['acme', 'other'].map((tenant) => ({
        'db.system.name': 'mongodb',
        'db.namespace': tenant === 'other' ? 'other' : 'tenant_acme',
        'db.collection.name': 'notes',
        'db.operation.name': 'find',
        'polymongo.tenant': tenant,
      })),
    );
    const spans = tracerProvider.spans.filter(({ name }) => name === 'find notes');
    expect(spans.map(({ attributes }) => attributes['polymongo.tenant'])).toEqual(['acme', 'initech']);
    const pool = { 'db.client.connection.pool.name': 'default' };
    expect(meterProvider.of('db.client.connection.wait_time')[0]).toMatchObject({ attributes: pool });
    expect(meterProvider.collect()).toContainEqual({
      name: 'db.client.connection.count',
      value: 1,
      attributes: { ...pool, 'db.client.connection.state': 'idle' },
    });

    await app.close();
    app = undefined;
    expect(meterProvider.collect()).toEqual([]);
    metrics.disable();
    trace.disable();
  });
});
