import type { Attributes, Meter } from '@opentelemetry/api';
import type { ClientTelemetry, TelemetrySink } from '../providers/metrics/client.telemetry.js';
import { attributesOf, rootAttributes } from './attributes.js';

const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/**
 * Makes the instruments of the conventions for database clients. What is there at the moment is read when it is exported.
 * @see https://opentelemetry.io/docs/specs/semconv/db/database-metrics/
 */
export function createMeterSink(
  meter: Meter,
  telemetry: ClientTelemetry,
  root: string | undefined,
): TelemetrySink & { end(): void } {
  const shared = rootAttributes(root);
  const inPool = (pool: string): Attributes => ({ 'db.client.connection.pool.name': pool, ...shared });
  const seconds = (name: string, description: string) =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: BUCKETS } });
  const operations = seconds('db.client.operation.duration', 'Duration of database client operations.');
  const created = seconds('db.client.connection.create_time', 'The time it took to create a new connection.');
  const waited = seconds('db.client.connection.wait_time', 'The time it took to obtain an open connection.');
  const used = seconds('db.client.connection.use_time', 'The time a connection was borrowed.');
  const timeouts = meter.createCounter('db.client.connection.timeouts', {
    unit: '{timeout}',
    description: 'Calls that waited for a connection as long as they may.',
  });
  const current = (name: string, unit: string, description: string) =>
    meter.createObservableUpDownCounter(name, { unit, description });
  const count = current('db.client.connection.count', '{connection}', 'Connections by state.');
  const pending = current('db.client.connection.pending_requests', '{request}', 'Calls that wait for a connection.');
  const max = current('db.client.connection.max', '{connection}', 'Connections at most; 0 without a bound.');
  const tenants = meter.createObservableGauge('polymongo.tenant.operations', {
    unit: '{operation}',
    description: 'Commands of the busiest tenants.',
  });

  const observed = [count, pending, max, tenants];
  const read: Parameters<Meter['addBatchObservableCallback']>[0] = (result) => {
    for (const [pool, gauges] of telemetry.ofPools()) {
      result.observe(count, gauges.idle, { ...inPool(pool), 'db.client.connection.state': 'idle' });
      result.observe(count, gauges.used, { ...inPool(pool), 'db.client.connection.state': 'used' });
      result.observe(pending, gauges.pending, inPool(pool));
      result.observe(max, gauges.max, inPool(pool));
    }
    for (const [tenant, { running, waiting }] of telemetry.ofTenants()) {
      const of = { 'polymongo.tenant': tenant, ...shared };
      result.observe(tenants, running, { ...of, 'polymongo.operation.state': 'running' });
      result.observe(tenants, waiting, { ...of, 'polymongo.operation.state': 'waiting' });
    }
  };
  meter.addBatchObservableCallback(read, observed);

  return {
    operated: (labels, duration, failure) =>
      operations.record(duration, { ...attributesOf(labels, failure), ...shared }),
    created: (pool, duration) => created.record(duration, inPool(pool)),
    waited: (pool, duration) => waited.record(duration, inPool(pool)),
    used: (pool, duration) => used.record(duration, inPool(pool)),
    timedOut: (pool) => timeouts.add(1, inPool(pool)),
    end: () => meter.removeBatchObservableCallback(read, observed),
  };
}
