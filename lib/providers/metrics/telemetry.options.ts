import { checkOptions, checks, type Checks } from '../../polymongo.checks.js';

/** Which tenants are told apart in what is measured. */
export interface TelemetryOptions {
  /**
   * Tenants with a label of their own in counters and histograms: these, all others are `other`. Default: the first
   * `maxTenants` that come, for the life of the process.
   */
  tenants?: readonly string[];
  /** How many tenants have a label of their own; in gauges those with the most work at the moment. Default 20. */
  maxTenants?: number;
}

const TELEMETRY_CHECKS: Checks<TelemetryOptions> = {
  tenants: {
    allowed: 'an array of ids of tenants',
    accepts: (v) => Array.isArray(v) && v.every(checks.string.accepts),
  },
  maxTenants: checks.count,
};

/** @throws PolyMongoOptionsError */
export function resolveTelemetry(options: TelemetryOptions): {
  tenants: readonly string[] | undefined;
  maxTenants: number;
} {
  checkOptions('telemetry.', options, TELEMETRY_CHECKS);
  return { tenants: options.tenants, maxTenants: options.maxTenants ?? 20 };
}
