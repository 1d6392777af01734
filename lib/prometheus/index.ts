export { PolyMongoError, PolyMongoOptionsError } from '../polymongo.errors.js';
export { PeerMissingError } from '../polymongo.peers.js';
export type { TelemetryOptions } from '../providers/metrics/telemetry.options.js';
export { PolyMongoPrometheusModule, type PrometheusModuleOptions } from './polymongo-prometheus.module.js';
export { collectPrometheusMetrics, type PrometheusOptions } from './prometheus.metrics.js';
