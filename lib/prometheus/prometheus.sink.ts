import type { Registry } from 'prom-client';
import { PolyMongoOptionsError } from '../polymongo.errors.js';
import type { ClientTelemetry, TelemetrySink } from '../providers/metrics/client.telemetry.js';

type PromClient = typeof import('prom-client');

/** As OpenTelemetry's conventions have them, in seconds. */
const OPERATION_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
const POOL = 'db_client_connection_pool_name';
const STATE = 'db_client_connection_state';
const TENANT = 'polymongo_tenant';

/**
 * Makes the instruments in a registry, by the names that an OpenTelemetry exporter gives those of the conventions, so that
 * one dashboard is for both. Gauges are read when somebody scrapes. `end` takes the instruments away again.
 * @throws PolyMongoOptionsError when the registry has them already
 */
export function createPrometheusSink(
  { Counter, Gauge, Histogram }: PromClient,
  registry: Registry,
  telemetry: ClientTelemetry,
): TelemetrySink & { end(): void } {
  const names: string[] = [];
  const told = <L extends string>(name: string, help: string, labelNames: readonly L[]) => {
    if (registry.getSingleMetric(name)) {
      throw new PolyMongoOptionsError(
        'registry',
        `The registry has a metric ${name} already. Give each PolyMongo of a process a registry of its own.`,
      );
    }
    names.push(name);
    return { name, help, labelNames, registers: [registry] };
  };
  const seconds = (name: string, help: string) =>
    new Histogram({ ...told(name, help, [POOL]), buckets: OPERATION_BUCKETS });

  const operations = new Histogram({
    ...told('db_client_operation_duration_seconds', 'Duration of database client operations.', [
      'db_system_name',
      'db_namespace',
      'db_collection_name',
      'db_operation_name',
      'error_type',
      TENANT,
    ]),
    buckets: OPERATION_BUCKETS,
  });
  const created = seconds('db_client_connection_create_time_seconds', 'The time it took to create a new connection.');
  const waited = seconds('db_client_connection_wait_time_seconds', 'The time it took to obtain an open connection.');
  const used = seconds('db_client_connection_use_time_seconds', 'The time a connection was borrowed.');
  const timeouts = new Counter(
    told('db_client_connection_timeouts_total', 'Calls that waited for a connection as long as they may.', [POOL]),
  );
  gauge('db_client_connection_count', 'Connections by state.', [POOL, STATE], (set) => {
    for (const [pool, { idle, used: inUse }] of telemetry.ofPools()) {
      set({ [POOL]: pool, [STATE]: 'idle' }, idle);
      set({ [POOL]: pool, [STATE]: 'used' }, inUse);
    }
  });
  gauge('db_client_connection_pending_requests', 'Calls that wait for a connection.', [POOL], (set) => {
    for (const [pool, { pending }] of telemetry.ofPools()) set({ [POOL]: pool }, pending);
  });
  gauge('db_client_connection_max', 'Connections at most; 0 without a bound.', [POOL], (set) => {
    for (const [pool, { max }] of telemetry.ofPools()) set({ [POOL]: pool }, max);
  });
  gauge(
    'polymongo_tenant_operations',
    'Commands of the busiest tenants.',
    [TENANT, 'polymongo_operation_state'],
    (set) => {
      for (const [tenant, { running, waiting }] of telemetry.ofTenants()) {
        set({ [TENANT]: tenant, polymongo_operation_state: 'running' }, running);
        set({ [TENANT]: tenant, polymongo_operation_state: 'waiting' }, waiting);
      }
    },
  );

  return {
    operated({ namespace, collection = '', operation, tenant = '' }, duration, failure) {
      operations.observe(
        {
          db_system_name: 'mongodb',
          db_namespace: namespace,
          db_collection_name: collection,
          db_operation_name: operation,
          error_type: failure?.type ?? '',
          [TENANT]: tenant,
        },
        duration,
      );
    },
    created: (pool, duration) => created.observe({ [POOL]: pool }, duration),
    waited: (pool, duration) => waited.observe({ [POOL]: pool }, duration),
    used: (pool, duration) => used.observe({ [POOL]: pool }, duration),
    timedOut: (pool) => timeouts.inc({ [POOL]: pool }),
    end() {
      for (const name of names) registry.removeSingleMetric(name);
    },
  };

  /** What is not there any more is not told: each scrape begins anew. */
  function gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: (set: (labels: Record<string, string>, value: number) => void) => void,
  ): void {
    new Gauge({
      ...told(name, help, labelNames),
      collect() {
        this.reset();
        read((labels, value) => this.set(labels, value));
      },
    });
  }
}
