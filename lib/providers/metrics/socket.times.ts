import type { mongo } from 'mongoose';
import type { BoundedLabels } from './bounded.labels.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';

/** What is told of the sockets of pools, in seconds. */
export interface SocketListener {
  /** A socket has been opened, which took so long. */
  created(pool: string, seconds: number): void;
  /** A call was given a socket, for which it has waited so long: for its database's turn, and in the driver's queue. */
  waited(pool: string, seconds: number): void;
  /** A call gave a socket back, which it has had so long. */
  used(pool: string, seconds: number): void;
  /** A call has waited in the driver's queue for as long as it may. */
  timedOut(pool: string): void;
}

interface SocketEvent {
  address: string;
  connectionId: number | string;
  durationMS?: number;
  reason?: string;
}

/** Follows the sockets of all pools, by the driver's events. Gives the function that ends it. */
export function followSockets(pools: PolyMongoPools, labels: BoundedLabels, listener: SocketListener): () => void {
  const turns = new Map<string, number[]>();
  const ends: (() => void)[] = [];
  ends.push(
    pools.onClient(
      (pool, client) => void ends.push(followClient(client, { pool, label: labels.labelOf(pool), turns }, listener)),
    ),
    pools.events.on('turnTaken', ({ pool, waitedMS }) => {
      const waits = turns.get(pool);
      if (waits) waits.push(waitedMS);
      else turns.set(pool, [waitedMS]);
    }),
  );
  return () => {
    for (const end of ends) end();
  };
}

function followClient(
  client: mongo.MongoClient,
  { pool, label, turns }: { pool: string; label: string; turns: ReadonlyMap<string, number[]> },
  listener: SocketListener,
): () => void {
  const since = new Map<string, number>();
  const giveBack = (event: SocketEvent) => {
    const began = since.get(keyOf(event));
    if (began === undefined) return;
    since.delete(keyOf(event));
    listener.used(label, (performance.now() - began) / 1e3);
  };
  const on = {
    connectionReady: ({ durationMS }: SocketEvent) => {
      if (durationMS !== undefined) listener.created(label, durationMS / 1e3);
    },
    connectionCheckedOut: (event: SocketEvent) => {
      since.set(keyOf(event), performance.now());
      const turnMS = turns.get(pool)?.shift() ?? 0; // who had its turn is the next to take a socket
      listener.waited(label, (turnMS + (event.durationMS ?? 0)) / 1e3);
    },
    connectionCheckOutFailed: ({ reason }: SocketEvent) => {
      if (reason === 'timeout') listener.timedOut(label);
    },
    connectionCheckedIn: giveBack,
    connectionClosed: giveBack,
  };
  for (const [name, handle] of Object.entries(on)) client.on(name as 'connectionReady', handle as never);
  return () => {
    for (const [name, handle] of Object.entries(on)) client.off(name as 'connectionReady', handle as never);
  };
}

const keyOf = ({ address, connectionId }: SocketEvent): string => `${address} ${connectionId}`;
