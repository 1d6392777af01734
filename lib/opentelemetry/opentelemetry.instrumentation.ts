import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import type { PolyMongoWrapper } from '../polymongo.wrapper.js';
import { ClientTelemetry } from '../providers/metrics/client.telemetry.js';
import { loadPeer } from '../polymongo.peers.js';
import type { TelemetryOptions } from '../providers/metrics/telemetry.options.js';
import { traceOperations } from './operation.spans.js';
import { createMeterSink } from './opentelemetry.sink.js';

const SCOPE = 'nestjs-polymongo';

/** Options of {@link instrumentOpenTelemetry} and {@link PolyMongoOpenTelemetryModule}. */
export interface OpenTelemetryOptions extends TelemetryOptions {
  /** Where metrics go; `false`: none are measured. Default: the global one. */
  meterProvider?: MeterProvider | false;
  /** Where spans go; `false`: none are made. Default: the global one. */
  tracerProvider?: TracerProvider | false;
}

/**
 * Measures operations and sockets, and makes a span for each operation, from now on. Gives the function that ends it.
 * @throws PeerMissingError when @opentelemetry/api is not installed; PolyMongoOptionsError
 */
export async function instrumentOpenTelemetry(
  polymongo: PolyMongoWrapper,
  options: OpenTelemetryOptions = {},
): Promise<() => void> {
  const { meterProvider, tracerProvider, ...labels } = options;
  const {
    pools,
    tenantDatabases,
    options: { name },
  } = polymongo;
  const tenantOf = (name: string) => tenantDatabases.namedOwnerOf(name);
  const telemetry = new ClientTelemetry({ pools, tenantOf }, labels);
  const api = await loadPeer(
    '@opentelemetry/api',
    'nestjs-polymongo/opentelemetry',
    () => import('@opentelemetry/api'),
  );
  const ends: (() => void)[] = [];
  if (tracerProvider !== false) {
    const tracer = (tracerProvider ?? api.trace.getTracerProvider()).getTracer(SCOPE);
    ends.push(pools.onOperation(traceOperations(api, tracer, tenantOf, name)));
  }
  if (meterProvider !== false) {
    const sink = createMeterSink((meterProvider ?? api.metrics.getMeterProvider()).getMeter(SCOPE), telemetry, name);
    ends.push(telemetry.measure(sink), sink.end);
  }
  return () => {
    for (const end of ends) end();
  };
}
