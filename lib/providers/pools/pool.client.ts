import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import { PolyMongoError, PolyMongoOptionsError } from '../../polymongo.errors.js';
import { PoolConnectError } from './pool.errors.js';
import type { RetryOptions } from '../../polymongo.options.js';
import type { PoolConfig } from '../../polymongo.pool-options.js';
import { redactError } from '../../polymongo.error-secrets.js';
import { secretsOf } from '../../polymongo.secrets.js';
import { isUserInfoMalformed, parseMongoURI, redactURI } from '../../polymongo.uri.js';
import { topologyOf } from '../native/driver.private.js';
import { keepSecretsOf } from './client.secrets.js';
import { endWaitsOf } from './client.sockets.js';
import { within } from './deadline.js';
import { PoolStatistics } from './pool.statistics.js';
import { clock, delay } from '../../polymongo.clock.js';

/** How long the driver may take to say goodbye to a server that does not answer. */
const CLOSE_TIMEOUT_MS = 2_000;
const MAX_RETRY_DELAY_MS = 30_000;
/** The driver waits half a minute for a server before it says a word: somebody is told sooner that there is none. */
const PATIENCE_MS = 1_000;

/** What a client's pool hears of it. */
export interface ClientHost {
  /** It was made, and is not connected yet. */
  onMade(client: mongo.MongoClient): void;
  /** What its statistics show has changed. */
  onChange(): void;
  /** No server has answered for a second. */
  onDelay(uri: string, reason: string | undefined): void;
}

/**
 * The MongoClient of a pool. It is kept from one opening to the next, so that what was made from it stays good; only
 * one that could not be closed in time is given up for a new one.
 */
export class PoolClient {
  readonly statistics: PoolStatistics;
  #client: mongo.MongoClient | undefined;
  #isReachable = false;
  #refusal: string | undefined;

  constructor(
    readonly config: PoolConfig,
    readonly host: ClientHost,
  ) {
    this.statistics = new PoolStatistics(() => host.onChange());
  }

  /** The driver's client; made on first use, connected only by {@link connect}. */
  get client(): mongo.MongoClient {
    return (this.#client ??= this.#create());
  }

  /** The client, if one was made. */
  get made(): mongo.MongoClient | undefined {
    return this.#client;
  }

  /** The last word from the servers was that one is there. */
  get isReachable(): boolean {
    return this.#isReachable;
  }

  /** What the last attempt to reach a server ended with, without secrets; undefined when none has failed since the connect began. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Connects, as often as `retry` says. @throws PoolConnectError; the reason of `signal` when it is aborted meanwhile */
  async connect(retry: Readonly<RetryOptions>, signal: AbortSignal): Promise<void> {
    this.#refusal = undefined;
    const patience = clock.setTimeout(
      () => this.host.onDelay(redactURI(this.config.mongoURI), this.#refusal),
      PATIENCE_MS,
    );
    try {
      await this.#connectWithin(retry, signal);
    } finally {
      clock.clear(patience);
    }
  }

  async #connectWithin({ attempts, delayMS }: Readonly<RetryOptions>, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#connectOnce(signal);
        this.#isReachable = true;
        return;
      } catch (error) {
        await this.close();
        signal.throwIfAborted();
        if (attempt >= attempts) throw this.#failure(error, attempt);
      }
      const pauseMS = Math.min(delayMS * 2 ** (attempt - 1), MAX_RETRY_DELAY_MS);
      await delay(pauseMS, signal).catch(() => signal.throwIfAborted());
    }
  }

  /** Closes all sockets. Never fails, and takes no longer than two seconds, or than `timeoutMS`. */
  async close(timeoutMS = CLOSE_TIMEOUT_MS): Promise<void> {
    const client = this.#client;
    if (!client) return;
    const isClosed = await within(
      Math.min(timeoutMS, CLOSE_TIMEOUT_MS),
      client.close().catch(() => {}),
    );
    if (!isClosed) {
      this.#client = undefined;
      cut(client);
    }
    this.#isReachable = false;
    this.statistics.reset();
  }

  async #connectOnce(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { client } = this;
    const connecting = client.connect();
    let stop = () => {};
    const aborted = new Promise<never>((_, reject) => {
      stop = () => {
        this.#giveUp(client, connecting);
        reject(signal.reason as Error);
      };
    });
    signal.addEventListener('abort', stop);
    try {
      await Promise.race([connecting, aborted]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** A look-up in the DNS cannot be stopped: its client is left behind, and closed whenever it has an answer. */
  #giveUp(client: mongo.MongoClient, connecting: Promise<unknown>): void {
    connecting.then(() => client.close()).catch(() => {});
    this.#client = undefined;
    cut(client);
    this.statistics.reset();
  }

  #failure(error: unknown, attempts: number): PolyMongoError {
    if (error instanceof PolyMongoError) return error;
    redactError(error, secretsOf(this.config));
    return new PoolConnectError(this.config.dbName, attempts, redactURI(this.config.mongoURI), error);
  }

  #create(): mongo.MongoClient {
    const client = createClient(this.config);
    client.setMaxListeners(0);
    keepSecretsOf(client, this.config);
    endWaitsOf(client);
    this.statistics.follow(client);
    this.host.onMade(client);
    client.on('serverHeartbeatFailed', ({ failure }) => {
      this.#refusal = redactURI(failure.message, secretsOf(this.config));
    });
    client.on('topologyDescriptionChanged', ({ newDescription }) => {
      if (client !== this.#client) return;
      this.#isReachable = [...newDescription.servers.values()].some((server) => server.type !== 'Unknown');
    });
    return client;
  }
}

/** Ends the sockets of a client without a goodbye; the driver has no public way while its own `close()` waits. */
function cut(client: mongo.MongoClient): void {
  topologyOf(client)?.close();
}

function createClient(config: PoolConfig): mongo.MongoClient {
  const inURI = parseMongoURI(config.mongoURI).options;
  const options: mongo.MongoClientOptions = {
    ...config.driverOptions,
    maxPoolSize: config.maxConnections,
    minPoolSize: config.minConnections,
    waitQueueTimeoutMS: config.waitQueueTimeoutMS,
    ...(config.idleTimeoutMS !== undefined && { maxIdleTimeMS: config.idleTimeoutMS }),
  };
  // mongoose connects with its own name; ours only where nobody gave one.
  if (!options.appName && !inURI.has('appname')) options.appName = `polymongo:${config.dbName}`;
  if (isUserInfoMalformed(config.mongoURI)) {
    throw new PolyMongoOptionsError(
      'mongoURI',
      `mongoURI of ${config.dbName}: the user name or the password contains / ? # [ ] @ or : as it is. ` +
        'Percent-encode both with encodeURIComponent().',
    );
  }
  try {
    return new mongoose.mongo.MongoClient(config.mongoURI, options);
  } catch (error) {
    const reason = redactURI(error instanceof Error ? error.message : String(error), secretsOf(config));
    throw new PolyMongoOptionsError(
      'mongoURI',
      `mongoURI or driverOptions of ${config.dbName} were refused by the driver: ${reason}.`,
    );
  }
}
