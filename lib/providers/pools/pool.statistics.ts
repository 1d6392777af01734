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
  /** Being made; the driver says nothing when it gives one of them up because its pool was cleared or closed. */
  readonly #pending = new Set<string>();
  readonly #available = new Set<string>();
  readonly #inUse = new Set<string>();
  /** Calls that wait for a socket, by server. */
  readonly #waiting = new Map<string, number>();
  #client: mongo.MongoClient | undefined;

  constructor(readonly onChange: () => void) {}

  /** Counts what happens on this client from now on, and no longer on an earlier one. */
  follow(client: mongo.MongoClient): void {
    this.#client = client;
    const on = (name: string, change: (id: string, address: string) => void) =>
      client.on(name as 'connectionCreated', (event: ConnectionEvent) => {
        if (client !== this.#client) return;
        change(`${event.address}#${event.connectionId}`, event.address);
        this.onChange();
      });
    on('connectionCreated', (id) => this.#pending.add(id));
    on('connectionReady', (id) => this.#move(id, this.#available));
    on('connectionClosed', (id) => this.#move(id));
    on('connectionCheckOutStarted', (_, address) => this.#wait(address, 1));
    on('connectionCheckOutFailed', (_, address) => this.#wait(address, -1));
    on('connectionCheckedOut', (id, address) => {
      this.#wait(address, -1);
      this.#move(id, this.#inUse);
    });
    on('connectionCheckedIn', (id, address) => {
      this.#move(id, this.#available);
      if (this.#waiting.get(address)) setImmediate(() => this.#forgetAbortedWaits(address));
    });
    on('connectionPoolCleared', (_, address) => this.#forgetPending(address));
    on('connectionPoolClosed', (_, address) => this.#forgetPending(address));
  }

  /** The client was closed: it has no sockets and nobody waits. */
  reset(): void {
    for (const ids of [this.#pending, this.#available, this.#inUse]) ids.clear();
    this.#waiting.clear();
    this.onChange();
  }

  get counts(): Counts {
    return {
      totalConnections: this.#pending.size + this.#available.size + this.#inUse.size,
      availableConnections: this.#available.size,
      inUseConnections: this.#inUse.size,
      waitQueueSize: [...this.#waiting.values()].reduce((sum, waiting) => sum + waiting, 0),
    };
  }

  #move(id: string, to?: Set<string>): void {
    this.#pending.delete(id);
    this.#available.delete(id);
    this.#inUse.delete(id);
    to?.add(id);
  }

  #forgetPending(address: string): void {
    for (const id of of(this.#pending, address)) this.#pending.delete(id);
  }

  #wait(address: string, change: number): void {
    this.#waiting.set(address, Math.max(0, (this.#waiting.get(address) ?? 0) + change));
  }

  /** A call that is aborted while it waits leaves the driver's queue without an event; nobody waits while a socket is free. */
  #forgetAbortedWaits(address: string): void {
    const pending = of(this.#pending, address).length;
    if (of(this.#available, address).length === 0 || (this.#waiting.get(address) ?? 0) <= pending) return;
    this.#waiting.set(address, pending);
    this.onChange();
  }
}

const of = (ids: Iterable<string>, address: string): string[] => [...ids].filter((id) => id.startsWith(`${address}#`));
