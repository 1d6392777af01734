export type {
  ClusterHealth,
  HealthOptions,
  HealthReport,
  PoolHealth,
  PoolHealthState,
} from '../providers/health/health.types.js';
export { PolyMongoHealthIndicator, type PolyMongoHealthResult } from './polymongo-health.indicator.js';
