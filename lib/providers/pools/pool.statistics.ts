import type { mongo } from 'mongoose';

/** Sockets of one pool, counted from the driver's connection-pool events. */
export interface PoolStats {
  totalConnections: number;
  availableConnections: number;
  inUseConnections: number;
  waitQueueSize: number;
  maxPoolSize: number;
  minPoolSize: number;
  maxIdleTimeMS?: number;
}

type Counts = Omit<PoolStats, 'maxPoolSize' | 'minPoolSize' | 'maxIdleTimeMS'>;
interface ConnectionEvent {
  address: string;
  connectionId: number | string;
}

/**
 * Follows the sockets of a MongoClient. Connections are kept by id, so that one which closes while it is checked out
 * (a cleared pool, a killed server) leaves every count at once.
 * @see https://github.com/mongodb/specifications/blob/master/source/connection-monitoring-and-pooling
 */
export class PoolStatistics {
  readonly #open = new Set<string>();
  readonly #ready = new Set<string>();
  readonly #inUse = new Set<string>();
  #waiting = 0;

  constructor(readonly onChange: () => void) {}

  follow(client: mongo.MongoClient): void {
    const on = (name: string, change: (id: string) => void) =>
      client.on(name as 'connectionCreated', (event: ConnectionEvent) => {
        change(`${event.address}#${event.connectionId}`);
        this.onChange();
      });
    on('connectionCreated', (id) => this.#open.add(id));
    on('connectionReady', (id) => this.#ready.add(id));
    on('connectionClosed', (id) => this.#forget(id));
    on('connectionCheckOutStarted', () => this.#waiting++);
    on('connectionCheckOutFailed', () => this.#waiting--);
    on('connectionCheckedOut', (id) => {
      this.#waiting--;
      this.#inUse.add(id);
    });
    on('connectionCheckedIn', (id) => this.#inUse.delete(id));
  }

  get counts(): Counts {
    return {
      totalConnections: this.#open.size,
      availableConnections: [...this.#ready].filter((id) => !this.#inUse.has(id)).length,
      inUseConnections: this.#inUse.size,
      waitQueueSize: this.#waiting,
    };
  }

  #forget(id: string): void {
    this.#open.delete(id);
    this.#ready.delete(id);
    this.#inUse.delete(id);
  }
}
