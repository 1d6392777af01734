import type { Registry } from 'prom-client';
import type { PolyMongoWrapper } from '../polymongo.wrapper.js';
import { ClientTelemetry } from '../providers/metrics/client.telemetry.js';
import { loadPeer } from '../polymongo.peers.js';
import type { TelemetryOptions } from '../providers/metrics/telemetry.options.js';
import { createPrometheusSink } from './prometheus.sink.js';

/** Options of {@link collectPrometheusMetrics} and {@link PolyMongoPrometheusModule}. */
export interface PrometheusOptions extends TelemetryOptions {
  /** Where the metrics are. Default: prom-client's own registry, `register`. */
  registry?: Registry;
}

/**
 * Measures operations and sockets for Prometheus, from now on. Gives the function that ends it and takes the metrics out of
 * the registry.
 * @throws PeerMissingError when prom-client is not installed; PolyMongoOptionsError
 */
export async function collectPrometheusMetrics(
  polymongo: PolyMongoWrapper,
  options: PrometheusOptions = {},
): Promise<() => void> {
  const { registry, ...labels } = options;
  const { pools, tenantDatabases } = polymongo;
  const telemetry = new ClientTelemetry({ pools, tenantOf: (name) => tenantDatabases.namedOwnerOf(name) }, labels);
  const client = await loadPeer('prom-client', 'nestjs-polymongo/prometheus', () => import('prom-client'));
  const sink = createPrometheusSink(client, registry ?? client.register, telemetry);
  const stop = telemetry.measure(sink);
  return () => {
    stop();
    sink.end();
  };
}
