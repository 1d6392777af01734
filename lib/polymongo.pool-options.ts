import type { Connection, mongo } from 'mongoose';
import { checkDatabaseName, checkOptions, checks, checkValue, type Checks } from './polymongo.checks.js';
import { databaseKey } from './polymongo.database-key.js';
import { PolyMongoOptionsError } from './polymongo.errors.js';
import { hideDriverSecrets, hideSecrets } from './polymongo.secrets.js';
import { parseMongoURI } from './polymongo.uri.js';

/** How one database with a pool of its own is reached. */
export interface ScaleOptions {
  /** Another cluster for this database. Default: the primary `mongoURI`. */
  mongoURI?: string;
  /** Sockets at most. Default: the global `maxPoolSize`. */
  maxConnections?: number;
  /** Sockets kept open while the pool is. Default 0. */
  minConnections?: number;
  /** `true`: connect with the first call; `false`: at start. Default: the global `coldStart`. */
  coldStart?: boolean;
  /** Close the pool `ttl` ms after its last use ended; the next call opens it again. Default false. */
  autoClose?: boolean;
  /** Idle life in ms when `autoClose` is on. Default 600000. */
  ttl?: number;
  /** Further options for this pool's MongoClient. What a named option says wins. */
  driverOptions?: mongo.MongoClientOptions;
  /** Called with this database's connection each time its pool has connected. */
  onConnectionCreate?: (connection: Connection, dbName: string) => unknown;
}

/** One entry of `dbSpecific`. */
export interface DBSpecificConfig {
  /** The database that has a pool of its own. Required. */
  dbName: string;
  /** Its cluster, as `options.mongoURI`, before which it counts. Default: the primary `mongoURI`. */
  mongoURI?: string;
  /** How it is reached. Default: as the primary pool. */
  options?: ScaleOptions;
}

/** How a pool is opened, everything decided. */
export interface PoolConfig extends Readonly<Required<Omit<ScaleOptions, 'onConnectionCreate' | 'driverOptions'>>> {
  readonly dbName: string;
  readonly idleTimeoutMS: number | undefined;
  readonly waitQueueTimeoutMS: number;
  readonly driverOptions: Readonly<mongo.MongoClientOptions>;
  readonly onConnectionCreate: ScaleOptions['onConnectionCreate'];
}

/** What a pool takes from the options of the module where its own say nothing. */
export interface PoolDefaults extends Pick<
  PoolConfig,
  'mongoURI' | 'coldStart' | 'idleTimeoutMS' | 'waitQueueTimeoutMS'
> {
  readonly maxPoolSize: number;
  readonly maxTotalConnections: number;
  readonly driverOptions: mongo.MongoClientOptions;
  readonly onConnectionCreate: ScaleOptions['onConnectionCreate'];
}

const SCALE_CHECKS: Checks<ScaleOptions> = {
  mongoURI: checks.mongoURI,
  maxConnections: checks.positiveInteger,
  minConnections: checks.count,
  coldStart: checks.boolean,
  autoClose: checks.boolean,
  ttl: checks.durationMS,
  driverOptions: checks.object,
  onConnectionCreate: checks.function,
};

const ENTRY_CHECKS: Checks<DBSpecificConfig> = {
  dbName: checks.string,
  mongoURI: checks.mongoURI,
  options: checks.object,
};

/** Resolves the options of one database's own pool against the global ones. @throws PolyMongoOptionsError */
export function resolveScaleOptions(
  global: PoolDefaults,
  dbName: string,
  options: ScaleOptions = {},
  path = '',
): PoolConfig {
  checkOptions(path, options, SCALE_CHECKS);
  checkDatabaseName(dbName);
  const mongoURI = options.mongoURI ?? global.mongoURI;
  const uri = options.mongoURI === undefined ? new Map<string, string>() : parseMongoURI(mongoURI).options;
  const driver = options.driverOptions ?? {};
  const config: PoolConfig = hideSecrets({
    dbName,
    mongoURI,
    maxConnections: options.maxConnections ?? driver.maxPoolSize ?? numberIn(uri, 'maxpoolsize') ?? global.maxPoolSize,
    minConnections: options.minConnections ?? driver.minPoolSize ?? numberIn(uri, 'minpoolsize') ?? 0,
    coldStart: options.coldStart ?? global.coldStart,
    autoClose: options.autoClose ?? false,
    ttl: options.ttl ?? 600_000,
    idleTimeoutMS: driver.maxIdleTimeMS ?? numberIn(uri, 'maxidletimems') ?? global.idleTimeoutMS,
    waitQueueTimeoutMS: driver.waitQueueTimeoutMS ?? numberIn(uri, 'waitqueuetimeoutms') ?? global.waitQueueTimeoutMS,
    driverOptions: hideDriverSecrets({ ...global.driverOptions, ...driver }),
    onConnectionCreate: options.onConnectionCreate ?? global.onConnectionCreate,
  });
  checkPoolSizes(path, config, global.maxTotalConnections);
  return config;
}

export function resolveEntry(global: PoolDefaults, entry: DBSpecificConfig, path: string): PoolConfig {
  checkValue(path, entry, { ...checks.object, allowed: 'an object { dbName, mongoURI?, options? }' });
  checkOptions(`${path}.`, entry, ENTRY_CHECKS, ['dbName']);
  const options = { ...entry.options, ...(entry.mongoURI !== undefined && { mongoURI: entry.mongoURI }) };
  return resolveScaleOptions(global, entry.dbName, options, `${path}.options.`);
}

export function checkPoolSizes(path: string, config: PoolConfig, maxTotalConnections: number): void {
  const name = path === '' ? ['minFreeConnections', 'maxPoolSize'] : [`${path}minConnections`, `${path}maxConnections`];
  const most = config.maxConnections || Infinity; // the driver's 0: no bound
  if (config.minConnections > most) {
    throw new PolyMongoOptionsError(
      name[0]!,
      `${name[0]} (${config.minConnections}) must not be above ${name[1]} (${config.maxConnections}).`,
    );
  }
  if (most > maxTotalConnections) {
    throw new PolyMongoOptionsError(
      name[1]!,
      `${name[1]} (${most === Infinity ? '0, no bound' : most}) must not be above maxTotalConnections (${maxTotalConnections}): the pool could never open.`,
    );
  }
}

export function rejectDuplicates(configs: readonly PoolConfig[]): void {
  const seen = new Set<string>();
  for (const { dbName } of configs) {
    const key = databaseKey(dbName);
    if (seen.has(key)) {
      throw new PolyMongoOptionsError(
        'dbSpecific',
        `dbSpecific names the database "${dbName}" twice; MongoDB's names differ by more than case.`,
      );
    }
    seen.add(key);
  }
}

export function numberIn(options: ReadonlyMap<string, string>, name: string): number | undefined {
  const value = Number(options.get(name) ?? NaN);
  return Number.isFinite(value) ? value : undefined;
}
