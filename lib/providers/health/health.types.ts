/**
 * What a pool is doing: `cold` not open, its next use opens it; `connecting` being opened; `connected`; `saturated` every
 * socket in use and calls waiting; `reconnecting` open, and no server of its cluster answers; `unresponsive` the server's
 * socket is there and a ping is not answered; `failed` the last connect failed, and so did another try; `closing`.
 */
export type PoolHealthState =
  'cold' | 'connecting' | 'connected' | 'saturated' | 'reconnecting' | 'unresponsive' | 'failed' | 'closing';

/** One pool. */
export interface PoolHealth {
  /** The database that the pool is of; the primary pool's is the default database. */
  pool: string;
  /** Calls on it can be answered now, or it is cold. */
  isHealthy: boolean;
  /** What it is doing. */
  state: PoolHealthState;
  /** Sockets with a command under way. */
  inUse: number;
  /** Calls that wait for a socket. */
  waiting: number;
  /** Sockets at most, for each server; 0 without a bound. */
  maxPoolSize: number;
  /** Why it is not healthy, without credentials. */
  reason?: string;
}

/** The pools of one cluster. */
export interface ClusterHealth {
  /** Its hosts, as in `db1:27017,db2:27017`: neither credentials nor options. */
  cluster: string;
  /** None of its pools is unhealthy. */
  isHealthy: boolean;
  /** How long its answer to a ping took, in ms; without one where no pool is open or each is saturated. */
  pingMS?: number;
  /** Its pools: the primary one first, if it is on it. */
  pools: PoolHealth[];
}

/** What {@link PolyMongoHealth.check} found. */
export interface HealthReport {
  /** The required pools are healthy, and nothing is shutting down. */
  isHealthy: boolean;
  /** The application is ending: it takes no new calls. */
  isShuttingDown: boolean;
  /** The primary pool's cluster first. */
  clusters: ClusterHealth[];
}

/** Options of {@link PolyMongoHealth.check}. */
export interface HealthOptions {
  /** How long to wait for an answer, in ms; for all pools together, as they are asked at once. Default 1000. */
  timeoutMS?: number;
  /**
   * The pools without which the whole is not healthy: `primary`, so that the cluster of some tenants does not take the
   * application away from all of them; `all`; or those of these databases. Default `primary`.
   */
  required?: 'primary' | 'all' | readonly string[];
  /** A pool with every socket in use and calls waiting counts as healthy. Default true: it is working. */
  isSaturatedHealthy?: boolean;
}
