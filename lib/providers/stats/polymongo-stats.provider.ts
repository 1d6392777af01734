import { auditTime, distinctUntilChanged, map, Observable, startWith } from 'rxjs';
import type { ScaleOptions } from '../../polymongo.pool-options.js';
import { redactURI } from '../../polymongo.uri.js';
import type { DatabasePool } from '../pools/database.pool.js';
import { READY_STATE } from '../pools/pool-state.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import type { PoolStats } from '../pools/pool.statistics.js';
import { inSubscribersContext } from '../sessions/subscriber.context.js';
import { readSizes, type DatabaseSizes } from './database.sizes.js';

const MB = 1024 ** 2;

/** The options of a pool as statistics show them: its URI without credentials. */
export type PoolConfigView = Readonly<
  Required<Pick<ScaleOptions, 'mongoURI' | 'maxConnections' | 'minConnections' | 'coldStart' | 'autoClose' | 'ttl'>>
>;

/** The pool of one database. */
export interface SeparatePoolStats {
  /** The database that the pool is for. */
  dbName: string;
  /** Its cluster, without credentials. */
  mongoURI: string;
  /** As mongoose has it: 0 disconnected, 1 connected, 2 connecting, 3 disconnecting. */
  readyState: number;
  /** When the pool was last used, in ms since 1970. */
  lastAccessed: number | undefined;
  /** The pool is open. */
  isInitialized: boolean;
  /** How it is configured. */
  config: PoolConfigView;
  /** Its sockets, now. */
  poolStats: PoolStats;
}

/** All pools at one moment. */
export interface ConnectionStats {
  /** Pools that are open, the primary one included. */
  totalActivePools: number;
  /** Sockets of all pools. */
  totalConnectionsAcrossPools: number;
  /**
   * The pool of all databases without one of their own: its state as mongoose has it (0 disconnected, 1 connected, 2
   * connecting, 3 disconnecting), its sockets, and the databases in use on it.
   */
  primary: { readyState: number; poolStats: PoolStats; sharedDatabases: string[] };
  /** The pools that databases have for themselves, open or not. */
  separateDB: SeparatePoolStats[];
}

/** How long a tenant that was held up is told of. */
const ACTIVE_MS = 60_000;

/** What one tenant, or one database that is no tenant's, has of its pool's sockets, and had to wait for. */
export interface TenantStats {
  /** The database, of a tenant or not. */
  dbName: string;
  /** Undefined for a database that is no tenant's. */
  tenantId: string | undefined;
  /** Commands under way. */
  inFlight: number;
  /** Calls that wait for their turn. */
  waiting: number;
  /** Calls that were refused, because `tenant.maxWaiting` waited or they had waited for `waitQueueTimeoutMS`. */
  refused: number;
  /** How long calls have waited altogether, in ms. */
  waitedMS: number;
}

/** One database, as the server and its pool see it. */
export interface DbStats extends DatabaseSizes {
  /** When work last began on it in this process; undefined before the first. */
  lastUsed: Date | undefined;
  /** Its cluster, without credentials. */
  mongoURI: string;
  /** Its pool is open. */
  isInitialized: boolean;
  /** How its pool is configured: its own, or the primary one. */
  config: PoolConfigView;
  /** The sockets of its pool, which it may share. */
  poolStats: PoolStats;
}

/** What the pools and databases are doing. Counts come from the driver's events; nothing here is estimated. */
export class PolyMongoStats {
  readonly #pools: PolyMongoPools;
  readonly #tenantOf: (dbName: string) => string | undefined;

  /** @internal Made by `PolyMongoWrapper`. */
  constructor(pools: PolyMongoPools, tenantOf: (dbName: string) => string | undefined = () => undefined) {
    this.#pools = pools;
    this.#tenantOf = tenantOf;
  }

  /** All pools, now. */
  general(): ConnectionStats {
    const { primary, separate, databases } = this.#pools;
    const all = [primary, ...separate.values()];
    return {
      totalActivePools: all.filter((pool) => pool.state === 'connected').length,
      totalConnectionsAcrossPools: all.reduce((sum, pool) => sum + pool.stats.totalConnections, 0),
      primary: {
        readyState: READY_STATE[primary.state],
        poolStats: primary.stats,
        sharedDatabases: [...databases.values()]
          .filter(({ name, isAnnounced }) => isAnnounced && !separate.has(name))
          .map(({ name }) => name),
      },
      separateDB: [...separate.values()].map((pool) => ({
        dbName: pool.name,
        mongoURI: redactURI(pool.config.mongoURI),
        readyState: READY_STATE[pool.state],
        lastAccessed: pool.lastLeaseAt,
        isInitialized: pool.state === 'connected',
        config: viewOf(pool),
        poolStats: pool.stats,
      })),
    };
  }

  /**
   * The tenants that have commands under way or waiting, or of which a call waited or was refused in the last minute; never more
   * than `maxCachedDatabases` and the databases with a pool of their own. `refused` and `waitedMS` count since their database's
   * handle was made.
   */
  tenants(): TenantStats[] {
    return [...this.#pools.databases.values()]
      .filter(({ share }) => share.isActive(ACTIVE_MS))
      .map(({ name, share: { inFlight, waiting, refused, waitedMS } }) => ({
        dbName: name,
        tenantId: this.#tenantOf(name),
        inFlight,
        waiting,
        refused,
        waitedMS,
      }));
  }

  /**
   * {@link general} now and whenever something in it changes, at most every `throttleMS`. Cold; ends with its subscription.
   * @param throttleMS default 100
   */
  general$(throttleMS = 100): Observable<ConnectionStats> {
    const changes = new Observable<void>((subscriber) => this.#pools.events.on('statistics', () => subscriber.next()));
    return changes.pipe(
      auditTime(throttleMS),
      startWith(undefined),
      map(() => this.general()),
      distinctUntilChanged((a, b) => JSON.stringify(a) === JSON.stringify(b)),
      inSubscribersContext,
    );
  }

  /**
   * One database; without a name the default one. It takes one socket of the database's pool. When the pool is so busy
   * that it gets none for 500 ms, it takes a temporary connection beside it, which counts in `maxTotalConnections` and is
   * closed after; when that has no room it goes on waiting for the pool, up to `waitQueueTimeoutMS`.
   * @throws InvalidDatabaseNameError, PoolConnectError
   */
  async db(name: string = this.#pools.options.defaultDB): Promise<DbStats> {
    const database = this.#pools.database(name);
    const { lastWorkAt } = database;
    const sizes = await database.run(() => readSizes(name, database.pool));
    const { pool } = database;
    return {
      ...sizes,
      lastUsed: lastWorkAt === undefined ? undefined : new Date(lastWorkAt),
      mongoURI: redactURI(pool.config.mongoURI),
      isInitialized: pool.state === 'connected',
      config: viewOf(pool),
      poolStats: pool.stats,
    };
  }

  /** Every database of the primary cluster and of the clusters of separate pools that are open. `sizeInMB` = sizeOnDisk / 1024². */
  async listDatabases(): Promise<{ dbName: string; sizeInMB: number }[]> {
    const { primary, separate, options } = this.#pools;
    const names = [options.defaultDB, ...[...separate.values()].filter(isElsewhere).map((pool) => pool.name)];
    const lists = await Promise.all(
      names.map((name) =>
        this.#pools.database(name).run(() => this.#pools.poolOf(name).client.db('admin').admin().listDatabases()),
      ),
    );
    const found = new Map<string, number>();
    for (const { databases } of lists)
      for (const { name, sizeOnDisk } of databases) if (!found.has(name)) found.set(name, (sizeOnDisk ?? 0) / MB);
    return [...found].map(([dbName, sizeInMB]) => ({ dbName, sizeInMB }));

    function isElsewhere(pool: DatabasePool): boolean {
      return pool.state === 'connected' && pool.config.mongoURI !== primary.config.mongoURI;
    }
  }
}

function viewOf({ config }: DatabasePool): PoolConfigView {
  const { maxConnections, minConnections, coldStart, autoClose, ttl } = config;
  return { mongoURI: redactURI(config.mongoURI), maxConnections, minConnections, coldStart, autoClose, ttl };
}
