import { checkOptions, checks, checkValue, type Checks } from './polymongo.checks.js';
import { PolyMongoOptionsError } from './polymongo.errors.js';
import { resolveScaleOptions, type PoolDefaults, type ScaleOptions } from './polymongo.pool-options.js';
import { hideDriverSecrets, hideSecrets } from './polymongo.secrets.js';

/** A cluster that tenants can be on, beside the primary one. */
export interface ClusterOptions {
  /** Its connection string. Required. */
  mongoURI: string;
  /** How the pool of each tenant on it is, as in `dbSpecific`. */
  options?: Omit<ScaleOptions, 'mongoURI'>;
}

/** By name. Names that objects have anyway are none of them. */
export type ResolvedClusters = Readonly<Record<string, Readonly<ClusterOptions>>>;

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const CLUSTER_CHECKS: Checks<ClusterOptions> = { mongoURI: checks.mongoURI, options: checks.object };

/** @throws PolyMongoOptionsError */
export function resolveClusters(
  global: PoolDefaults,
  clusters: Readonly<Record<string, ClusterOptions>> = {},
): ResolvedClusters {
  const resolved = Object.create(null) as Record<string, Readonly<ClusterOptions>>;
  for (const [name, cluster] of Object.entries(clusters)) {
    if (!NAME.test(name)) {
      throw new PolyMongoOptionsError(
        'clusters',
        `clusters has a name that does not match ${String(NAME)}: the registry of tenants stores it.`,
      );
    }
    const path = `clusters.${name}`;
    checkValue(path, cluster, { ...checks.object, allowed: 'an object { mongoURI, options? }' });
    checkOptions(`${path}.`, cluster, CLUSTER_CHECKS, ['mongoURI']);
    const { mongoURI, options = {} } = cluster;
    resolveScaleOptions(global, 'tenant', { ...options, mongoURI }, `${path}.options.`);
    const { driverOptions } = options;
    const own = { ...options, ...(driverOptions && { driverOptions: hideDriverSecrets(driverOptions) }) };
    resolved[name] = hideSecrets({ mongoURI, options: hideSecrets(own) });
  }
  return hideSecrets(resolved);
}
