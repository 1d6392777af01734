import type { EmbeddedUser } from './commands/auth/credentials.js';
import { Credentials } from './commands/auth/credentials.js';
import { Dispatcher } from './commands/dispatcher.js';
import { MongoServer } from './commands/server.js';
import { SessionCatalog } from './commands/session/session-catalog.js';
import { Topology } from './commands/topology.js';
import { endScripts } from './query/javascript/script-process.js';
import { Storage } from './storage/storage.js';
import { Listener } from './wire/listener.js';

const HOST = '127.0.0.1';

/** How the server is reached, and by whom. */
export interface EmbeddedMongoOptions {
  /** The TCP port on 127.0.0.1; default: any free one. */
  readonly port?: number;
  /** The replica set's name; default `rs0`. */
  readonly replSet?: string;
  /** With users, clients must authenticate (SCRAM-SHA-256); without, everybody may do everything. */
  readonly users?: readonly EmbeddedUser[];
}

/**
 * A MongoDB in this process: MongoDB 7.0's wire protocol and behaviour, as a one-node replica set, with its data in memory.
 *
 * @example
 * const mongo = await EmbeddedMongo.start();
 * await mongoose.connect(mongo.uri);
 * …
 * await mongo.stop();
 */
export class EmbeddedMongo {
  private term = 0;
  private readonly sessions = new SessionCatalog();
  private isStopped = false;
  private running: { readonly server: MongoServer; readonly listener: Listener } | undefined;

  private constructor(
    private readonly replSet: string,
    private readonly credentials: Credentials,
    private readonly storage: Storage,
    private listeningPort: number,
  ) {}

  /**
   * Starts a server with no data.
   * @throws Error EADDRINUSE when the port is taken
   */
  static async start(options: EmbeddedMongoOptions = {}): Promise<EmbeddedMongo> {
    const { port = 0, replSet = 'rs0', users } = options;
    const mongo = new EmbeddedMongo(replSet, new Credentials(users), new Storage(), port);
    await mongo.open();
    return mongo;
  }

  /** The connection string; without credentials, also when started with users. */
  get uri(): string {
    return `mongodb://${HOST}:${this.port}/?replicaSet=${this.replSet}`;
  }

  /** The TCP port on 127.0.0.1 that it listens on; it stays the same through {@link restart}. */
  get port(): number {
    return this.listeningPort;
  }

  /** Closes all connections and frees the port, the timers, the data and the process of scripts, if one was needed. Idempotent. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.close();
    this.storage.close();
    await endScripts();
  }

  /**
   * As a crash and a new start of a mongod: connections, cursors and open transactions are lost; the data, the record
   * of retryable writes and the port are kept.
   * @throws Error after `stop()`
   */
  async restart(): Promise<void> {
    if (this.isStopped) throw new Error('This embedded MongoDB was stopped; start a new one instead of restarting it.');
    await this.close();
    await this.open();
  }

  /** Closes every client connection, as a network fault does; the server itself goes on. */
  dropConnections(): void {
    this.running?.listener.dropConnections();
  }

  /** Answers nothing for so many milliseconds, but keeps the connections; then answers what has come meanwhile. */
  stall(ms: number): void {
    this.running?.listener.stall(ms);
  }

  private async open(): Promise<void> {
    const listener = new Listener();
    this.listeningPort = await listener.listen(this.listeningPort, (port) => {
      const topology = new Topology(this.replSet, `${HOST}:${port}`, ++this.term);
      const server = new MongoServer(this.storage, topology, this.credentials, this.sessions);
      this.running = { server, listener };
      return new Dispatcher(server);
    });
  }

  private async close(): Promise<void> {
    const { running } = this;
    this.running = undefined;
    running?.server.close();
    await running?.listener.close();
  }
}
