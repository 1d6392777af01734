import type { Connection, mongo, Schema } from 'mongoose';
import { checkDatabaseName, checkOptions, checks, checkValue, type Checks } from './polymongo.checks.js';
import { resolveClusters, type ClusterOptions, type ResolvedClusters } from './polymongo.cluster-options.js';
import { PolyMongoOptionsError } from './polymongo.errors.js';
import { MONGOOSE_OPTIONS } from './polymongo.mongoose-options.js';
import {
  checkPoolSizes,
  numberIn,
  rejectDuplicates,
  resolveEntry,
  type DBSpecificConfig,
  type PoolConfig,
} from './polymongo.pool-options.js';
import {
  resolveTenantOptions,
  TENANT_CHECKS,
  type ResolvedTenantOptions,
  type TenantOptions,
} from './polymongo.tenant-options.js';
import { hideDriverSecrets, hideSecrets } from './polymongo.secrets.js';
import { ROOT_CHECK } from './polymongo.tokens.js';
import { parseMongoURI } from './polymongo.uri.js';

/**
 * Repeated attempts to connect. Without it a connect is tried once. Calls wait for the pool all the while: for each
 * attempt up to `serverSelectionTimeoutMS` (the driver's, 30 s), and for the delays between them.
 */
export interface RetryOptions {
  /** Tries in all, at least 1. */
  attempts: number;
  /** Wait before the second try in ms; doubled before each further one, at most 30 s. */
  delayMS: number;
}

/** A schema plugin and its options, as `schema.plugin(fn, options)` takes them. */
export type Plugin = readonly [fn: (schema: Schema, options?: never) => void, options?: unknown];

/** Options of {@link PolyMongoModule} and {@link PolyMongoWrapper}. */
export interface PolyMongoOptions {
  /** Connection string of the primary cluster. Required. */
  mongoURI: string;
  /**
   * The name of this root, when an application has several: `forFeature(definitions, name)`, `@InjectPolyModel(model, name)`.
   * Letters, digits, _ and -. Default: none, for one of them.
   */
  name?: string;
  /** The database of the models themselves (`users.find()`). Default: the one in the URI's path, else 'default'. */
  defaultDB?: string;
  /** Sockets of the primary pool at most. Default: what the URI says, else 10. */
  maxPoolSize?: number;
  /** Sockets the primary pool keeps open. Default 0. */
  minFreeConnections?: number;
  /** A socket unused for so many ms is closed. Default: never. */
  idleTimeoutMS?: number;
  /** Log to the console and to files under `logPath`. Default false. */
  debug?: boolean;
  /** Folder of the log files when `debug` is on. Default './logs/Polymongo'. */
  logPath?: string;
  /**
   * Log each call of a model or collection that takes longer than so many ms: its database, model, method and duration, and
   * nothing of what is in it. Default: none is.
   */
  slowOperationMS?: number;
  /** `true`: pools connect with their first call, which waits for it (see `retry`); `false`: at start. Default true. */
  coldStart?: boolean;
  /** Databases with a pool of their own. Default none. */
  dbSpecific?: DBSpecificConfig[];
  /**
   * Further clusters that tenants can be on, by name; the same names in every process. The registry of tenants stores the name,
   * never the connection string. Default none.
   */
  clusters?: Readonly<Record<string, ClusterOptions>>;
  /** How the tenant of a request is found, and which database is its. */
  tenant?: TenantOptions;
  /** Repeat failed connects. Default: one try. */
  retry?: RetryOptions;
  /**
   * How long everything that ends at a shutdown may take together (streams, running operations, disconnect hooks,
   * sockets), in ms; also how long a pool that closes for another reason waits for each, and how long a new
   * configuration waits for work on the old pool. Default 10000.
   */
  shutdownTimeoutMS?: number;
  /**
   * How long a call waits for a free socket, and a pool that opens for its part of `maxTotalConnections`, in ms. Default
   * 10000. How long it waits for a pool that connects: see `retry`.
   */
  waitQueueTimeoutMS?: number;
  /** Sockets of all pools of this module together at most. Default: no bound. */
  maxTotalConnections?: number;
  /**
   * SIGINT, SIGTERM and SIGUSR2 close everything as `closeAll()` does and then take their course: they end the process
   * unless somebody else listens. Default true; in a Nest application false, as Nest's `enableShutdownHooks()` does that.
   */
  handleSignals?: boolean;
  /** How many databases keep their models in memory; the least recently used are let go. Default: no bound. */
  maxCachedDatabases?: number;
  /** Make a collection's indexes before the first write to it on a database. Default: what `mongoose.set()` says, true. */
  autoIndex?: boolean;
  /** Make the collection then, with the options of its schema. Default: what `mongoose.set()` says, true. */
  autoCreate?: boolean;
  /** Make its search indexes then. Default: what `mongoose.set()` says, false. */
  autoSearchIndex?: boolean;
  /** Plugins for the schemas of all models, with their options; applied before a schema is compiled. Default none. */
  plugins?: readonly Plugin[];
  /** Further options for every MongoClient. What a named option says wins. */
  driverOptions?: mongo.MongoClientOptions;
  /**
   * As @nestjs/mongoose has it, called once, before any schema is compiled: what it gives to `connection.plugin()` comes to
   * the schemas of all models, as {@link plugins} do. The connection is the default database's.
   */
  connectionFactory?: (connection: Connection, dbName: string) => unknown;
  /** Called with the connection of each database whose pool has connected. */
  onConnectionCreate?: (connection: Connection, dbName: string) => unknown;
}

/** The options with every default filled in, checked and frozen. */
export interface ResolvedOptions extends Readonly<
  Omit<
    Required<PolyMongoOptions>,
    | 'name'
    | 'dbSpecific'
    | 'clusters'
    | 'tenant'
    | 'idleTimeoutMS'
    | 'slowOperationMS'
    | 'retry'
    | 'onConnectionCreate'
    | 'connectionFactory'
    | 'autoIndex'
    | 'autoCreate'
    | 'autoSearchIndex'
    | 'maxTotalConnections'
    | 'maxCachedDatabases'
  >
> {
  readonly name: string | undefined;
  readonly idleTimeoutMS: number | undefined;
  readonly slowOperationMS: number | undefined;
  readonly retry: Readonly<RetryOptions>;
  readonly tenant: ResolvedTenantOptions;
  readonly maxTotalConnections: number;
  readonly maxCachedDatabases: number;
  readonly onConnectionCreate: PolyMongoOptions['onConnectionCreate'];
  readonly connectionFactory: PolyMongoOptions['connectionFactory'];
  /** These three are undefined where mongoose is to say. */
  readonly autoIndex: boolean | undefined;
  readonly autoCreate: boolean | undefined;
  readonly autoSearchIndex: boolean | undefined;
  readonly primary: PoolConfig;
  readonly dbSpecific: readonly PoolConfig[];
  readonly clusters: ResolvedClusters;
}

const RETRY_CHECKS: Checks<RetryOptions> = { attempts: checks.positiveInteger, delayMS: checks.durationMS };

const OPTION_CHECKS: Checks<PolyMongoOptions> = {
  mongoURI: checks.mongoURI,
  name: ROOT_CHECK,
  defaultDB: checks.string,
  maxPoolSize: checks.positiveInteger,
  minFreeConnections: checks.count,
  idleTimeoutMS: checks.durationMS,
  debug: checks.boolean,
  logPath: checks.string,
  slowOperationMS: checks.durationMS,
  coldStart: checks.boolean,
  dbSpecific: checks.array,
  clusters: checks.object,
  tenant: checks.object,
  retry: checks.object,
  shutdownTimeoutMS: checks.durationMS,
  waitQueueTimeoutMS: checks.durationMS,
  maxTotalConnections: checks.positiveInteger,
  handleSignals: checks.boolean,
  maxCachedDatabases: checks.positiveInteger,
  autoIndex: checks.boolean,
  autoCreate: checks.boolean,
  autoSearchIndex: checks.boolean,
  driverOptions: checks.object,
  plugins: {
    allowed: 'an array of [plugin, options?], plugin a function',
    accepts: (v) => Array.isArray(v) && v.every((entry) => Array.isArray(entry) && typeof entry[0] === 'function'),
  },
  connectionFactory: checks.function,
  onConnectionCreate: checks.function,
};

/**
 * Defaults, checks and freezes the options; the only place where that happens.
 * @throws PolyMongoOptionsError naming the option, what was given and what is allowed
 */
export function resolveOptions(options: PolyMongoOptions): ResolvedOptions {
  checkValue('options', options, { ...checks.object, allowed: 'an object with a mongoURI' });
  if (options.mongoURI === undefined || (options.mongoURI as unknown) === null || options.mongoURI === '') {
    throw new PolyMongoOptionsError(
      'mongoURI',
      "mongoURI is required. Pass the connection string of your cluster, such as 'mongodb://localhost:27017'.",
    );
  }
  checkOptions('', options, OPTION_CHECKS, [], MONGOOSE_OPTIONS);
  if (options.retry) checkOptions('retry.', options.retry, RETRY_CHECKS, ['attempts', 'delayMS']);
  if (options.tenant) checkOptions('tenant.', options.tenant, TENANT_CHECKS);
  const uri = parseMongoURI(options.mongoURI);
  const driver = options.driverOptions ?? {};
  const maxPoolSize = options.maxPoolSize ?? driver.maxPoolSize ?? numberIn(uri.options, 'maxpoolsize') ?? 10;
  const base = {
    mongoURI: options.mongoURI,
    name: options.name,
    defaultDB: options.defaultDB ?? (uri.dbName || 'default'),
    maxPoolSize,
    minFreeConnections: options.minFreeConnections ?? driver.minPoolSize ?? numberIn(uri.options, 'minpoolsize') ?? 0,
    idleTimeoutMS: options.idleTimeoutMS ?? driver.maxIdleTimeMS ?? numberIn(uri.options, 'maxidletimems'),
    debug: options.debug ?? false,
    logPath: options.logPath ?? './logs/Polymongo',
    slowOperationMS: options.slowOperationMS,
    coldStart: options.coldStart ?? true,
    tenant: resolveTenantOptions(options.tenant),
    retry: Object.freeze({ ...(options.retry ?? { attempts: 1, delayMS: 0 }) }),
    shutdownTimeoutMS: options.shutdownTimeoutMS ?? 10_000,
    waitQueueTimeoutMS:
      options.waitQueueTimeoutMS ?? driver.waitQueueTimeoutMS ?? numberIn(uri.options, 'waitqueuetimeoutms') ?? 10_000,
    maxTotalConnections: options.maxTotalConnections ?? Infinity,
    handleSignals: options.handleSignals ?? true,
    maxCachedDatabases: options.maxCachedDatabases ?? Infinity,
    autoIndex: options.autoIndex,
    autoCreate: options.autoCreate,
    autoSearchIndex: options.autoSearchIndex,
    driverOptions: hideDriverSecrets(driver),
    plugins: Object.freeze([...(options.plugins ?? [])]),
    connectionFactory: options.connectionFactory,
    onConnectionCreate: options.onConnectionCreate,
  };
  checkDatabaseName(base.defaultDB);
  const primary: PoolConfig = hideSecrets({
    dbName: base.defaultDB,
    mongoURI: base.mongoURI,
    maxConnections: maxPoolSize,
    minConnections: base.minFreeConnections,
    coldStart: base.coldStart,
    autoClose: false,
    ttl: 600_000,
    idleTimeoutMS: base.idleTimeoutMS,
    waitQueueTimeoutMS: base.waitQueueTimeoutMS,
    driverOptions: base.driverOptions,
    onConnectionCreate: base.onConnectionCreate,
  });
  checkPoolSizes('', primary, base.maxTotalConnections);
  const resolved: ResolvedOptions = { ...base, primary, dbSpecific: [], clusters: {} };
  const dbSpecific = (options.dbSpecific ?? []).map((entry, i) => resolveEntry(resolved, entry, `dbSpecific[${i}]`));
  rejectDuplicates(dbSpecific);
  const clusters = resolveClusters(resolved, options.clusters);
  return hideSecrets({ ...resolved, dbSpecific: Object.freeze(dbSpecific), clusters });
}
