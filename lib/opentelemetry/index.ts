export { PolyMongoError, PolyMongoOptionsError } from '../polymongo.errors.js';
export { PeerMissingError } from '../polymongo.peers.js';
export type { TelemetryOptions } from '../providers/metrics/telemetry.options.js';
export { instrumentOpenTelemetry, type OpenTelemetryOptions } from './opentelemetry.instrumentation.js';
export { PolyMongoOpenTelemetryModule, type OpenTelemetryModuleOptions } from './polymongo-opentelemetry.module.js';
