import type { mongo } from 'mongoose';

/** Sockets of one pool, counted from the driver's connection-pool events. */
export interface PoolStats {
  /** Sockets that are open or being opened. */
  totalConnections: number;
  /** Sockets that are open and that nobody uses. */
  availableConnections: number;
  /** Sockets with a command under way, or that a cursor, session or stream keeps. */
  inUseConnections: number;
  /** Calls that wait for a socket, in the driver's queue or for their database's turn. */
  waitQueueSize: number;
  /** Sockets at most, for each server of the cluster; 0 without a bound. */
  maxPoolSize: number;
  /** Sockets that are kept open for each server. */
  minPoolSize: number;
  /** After how many ms an unused socket is closed; undefined: never. */
  maxIdleTimeMS?: number;
}

/** All sockets that there may be are in use, and somebody waits for one. */
export const isSaturated = ({ waitQueueSize, inUseConnections, maxPoolSize }: PoolStats): boolean =>
  waitQueueSize > 0 && maxPoolSize > 0 && inUseConnections >= maxPoolSize;

/** The sockets of a pool, to see whether there is one for a further call. */
export interface SocketLoad {
  /** In use, or awaited in the driver's own queue. */
  readonly taken: number;
  readonly awaited: number;
  /** The servers that have sockets of the pool, each up to the pool's size. */
  readonly servers: number;
}

type Counts = Omit<PoolStats, 'maxPoolSize' | 'minPoolSize' | 'maxIdleTimeMS'>;
interface ConnectionEvent {
  address: string;
  connectionId: number | string;
}

/** `pending`: being made; the driver says nothing when it gives one of them up because its pool was cleared or closed. */
type SocketState = 'pending' | 'available' | 'inUse';

/** The sockets to one server, and how many calls wait for one. */
class ServerSockets {
  readonly sockets = new Map<number | string, SocketState>();
  waiting = 0;

  count(state: SocketState): number {
    let count = 0;
    for (const each of this.sockets.values()) if (each === state) count++;
    return count;
  }

  hasAvailable(count: number): boolean {
    let missing = count;
    for (const state of this.sockets.values()) if (state === 'available' && --missing <= 0) return true;
    return false;
  }

  wait(change: 1 | -1): void {
    this.waiting = Math.max(0, this.waiting + change);
  }

  forgetPending(): void {
    for (const [id, state] of this.sockets) if (state === 'pending') this.sockets.delete(id);
  }

  /** A call that is aborted while it waits leaves the driver's queue without an event; nobody waits while a socket is free. */
  forgetAbortedWaits(): void {
    if (this.count('available') > 0) this.waiting = Math.min(this.waiting, this.count('pending'));
  }
}

/**
 * Follows the sockets of a MongoClient. Connections are kept by id, so that one which closes while it is checked out
 * (a cleared pool, a killed server) leaves every count at once. Three events come with every operation: they cost two
 * look-ups each.
 * @see https://github.com/mongodb/specifications/blob/master/source/connection-monitoring-and-pooling
 */
export class PoolStatistics {
  readonly #servers = new Map<string, ServerSockets>();
  /** The only server there is, for most of the time: the driver makes the address anew for each event. */
  #only: ServerSockets | undefined;
  #client: mongo.MongoClient | undefined;

  constructor(readonly onChange: () => void) {}

  /** Counts what happens on this client from now on, and no longer on an earlier one. */
  follow(client: mongo.MongoClient): void {
    this.#client = client;
    const on = (name: string, change: (server: ServerSockets, event: ConnectionEvent) => void) =>
      client.on(name as 'connectionCreated', (event: ConnectionEvent) => {
        if (client !== this.#client) return;
        change(this.#server(event.address), event);
        this.onChange();
      });
    on('connectionPoolCreated', (_, { address }) => this.#add(address));
    on('connectionCreated', ({ sockets }, { connectionId }) => sockets.set(connectionId, 'pending'));
    on('connectionReady', ({ sockets }, { connectionId }) => sockets.set(connectionId, 'available'));
    on('connectionClosed', ({ sockets }, { connectionId }) => sockets.delete(connectionId));
    on('connectionCheckOutStarted', (server) => server.wait(1));
    on('connectionCheckOutFailed', (server) => server.wait(-1));
    on('connectionCheckedOut', (server, { connectionId }) => {
      server.wait(-1);
      server.sockets.set(connectionId, 'inUse');
    });
    on('connectionCheckedIn', (server, { connectionId }) => {
      server.sockets.set(connectionId, 'available');
      if (server.waiting > 0) setImmediate(() => this.#forgetAbortedWaits(server));
    });
    on('connectionPoolCleared', (server) => server.forgetPending());
    on('connectionPoolClosed', (server) => server.forgetPending());
  }

  /** The client was closed: it has no sockets and nobody waits. */
  reset(): void {
    this.#servers.clear();
    this.#only = undefined;
    this.onChange();
  }

  get counts(): Counts {
    const counts = { totalConnections: 0, availableConnections: 0, inUseConnections: 0, waitQueueSize: 0 };
    for (const server of this.#servers.values()) {
      counts.totalConnections += server.sockets.size;
      counts.availableConnections += server.count('available');
      counts.inUseConnections += server.count('inUse');
      counts.waitQueueSize += server.waiting;
    }
    return counts;
  }

  /** Nobody waits for a socket, and so many to the only server are open and free. Each command asks. */
  hasFree(count: number): boolean {
    const only = this.#only;
    return only !== undefined && only.waiting === 0 && only.hasAvailable(count);
  }

  /** What is taken of the sockets that there can be. */
  get load(): SocketLoad {
    const load = { taken: 0, awaited: 0, servers: 0 };
    for (const server of this.#servers.values()) {
      load.taken += server.count('inUse') + server.waiting;
      load.awaited += server.waiting;
      if (server.sockets.size > 0) load.servers++;
    }
    return load;
  }

  #server(address: string): ServerSockets {
    return this.#only ?? this.#servers.get(address) ?? this.#add(address);
  }

  #add(address: string): ServerSockets {
    let server = this.#servers.get(address);
    if (!server) this.#servers.set(address, (server = new ServerSockets()));
    this.#only = this.#servers.size === 1 ? server : undefined;
    return server;
  }

  #forgetAbortedWaits(server: ServerSockets): void {
    const { waiting } = server;
    server.forgetAbortedWaits();
    if (server.waiting !== waiting) this.onChange();
  }
}
