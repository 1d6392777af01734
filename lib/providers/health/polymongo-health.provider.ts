import { checkOptions, checks, databaseNames, oneOf, type Checks } from '../../polymongo.checks.js';
import { hostsOf } from '../../polymongo.uri.js';
import type { DatabasePool } from '../pools/database.pool.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { ping } from './cluster.ping.js';
import type { ClusterHealth, HealthOptions, HealthReport } from './health.types.js';
import { conditionOf, settleConnect, stateOf } from './pool.condition.js';

const primaryOrAll = oneOf('primary', 'all');
const HEALTH_CHECKS: Checks<HealthOptions> = {
  timeoutMS: checks.durationMS,
  required: {
    allowed: "'primary', 'all' or an array of names of databases",
    accepts: (v) => primaryOrAll.accepts(v) || (Array.isArray(v) && v.every(checks.string.accepts)),
  },
  isSaturatedHealthy: checks.boolean,
};

/**
 * Whether the databases can be used, for a readiness probe. A pool that nobody has used yet is healthy; one with every
 * socket in use is told apart from one that lost its servers. It keeps no pool open.
 *
 * @example
 * const { isHealthy, clusters } = await health.check({ timeoutMS: 500 });
 */
export class PolyMongoHealth {
  readonly #pools: PolyMongoPools;

  /** @internal Made by `PolyMongoWrapper`. */
  constructor(pools: PolyMongoPools) {
    this.#pools = pools;
  }

  /**
   * Looks at all pools and pings each cluster that one of them is connected to, on a pool with a free socket. A required
   * pool whose last connect failed tries again. Never rejects because of a server; ends within `timeoutMS`.
   * @throws PolyMongoOptionsError, InvalidDatabaseNameError
   */
  async check(options: HealthOptions = {}): Promise<HealthReport> {
    checkOptions('health.', options, HEALTH_CHECKS);
    const { timeoutMS = 1_000, isSaturatedHealthy = true } = options;
    const { isShuttingDown } = this.#pools;
    const required = this.#required(options.required ?? 'primary');
    const sick = new Set<DatabasePool>();
    const look = async ([cluster, pools]: [string, DatabasePool[]]): Promise<ClusterHealth> => {
      const began = performance.now();
      const awaited = isShuttingDown ? [] : pools.filter((pool) => required.has(pool) && isUndecided(pool));
      await Promise.all(awaited.map((pool) => settleConnect(pool, timeoutMS)));
      const asked = pools.find((pool) => stateOf(pool) === 'connected');
      const leftMS = Math.max(1, Math.ceil(timeoutMS - (performance.now() - began)));
      const answer = asked && (await ping(asked, leftMS));
      const conditions = pools.map((pool) => {
        const condition = conditionOf(pool, isSaturatedHealthy, answer);
        if (!condition.isHealthy) sick.add(pool);
        return condition;
      });
      const isHealthy = conditions.every((condition) => condition.isHealthy);
      const pingMS = answer?.pingMS;
      return { cluster, isHealthy, ...(pingMS !== undefined && { pingMS }), pools: conditions };
    };
    const clusters = await Promise.all([...this.#byCluster()].map(look));
    const isHealthy = !isShuttingDown && ![...required].some((pool) => sick.has(pool));
    return { isHealthy, isShuttingDown, clusters };
  }

  #required(required: NonNullable<HealthOptions['required']>): Set<DatabasePool> {
    const { primary, separate } = this.#pools;
    if (required === 'primary') return new Set([primary]);
    if (required === 'all') return new Set([primary, ...separate.values()]);
    return new Set(databaseNames(required).map((name) => this.#pools.poolOf(name)));
  }

  #byCluster(): Map<string, DatabasePool[]> {
    const { primary, separate } = this.#pools;
    const clusters = new Map<string, DatabasePool[]>();
    for (const pool of [primary, ...separate.values()]) {
      const cluster = hostsOf(pool.config.mongoURI);
      const pools = clusters.get(cluster);
      if (pools) pools.push(pool);
      else clusters.set(cluster, [pool]);
    }
    return clusters;
  }
}

const isUndecided = (pool: DatabasePool): boolean => ['connecting', 'failed'].includes(stateOf(pool));
