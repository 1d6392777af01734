import type { Socket } from 'node:net';
import mongoose, { type mongo } from 'mongoose';
import { onEachSocket, serversOf, topologyOf } from '../native/driver.private.js';

/**
 * Has each command of a client end when its socket does. One that the socket does not take at once is left by the driver
 * (`Connection.writeCommand`, 6.17 to 7.8) to wait for 'drain' alone, which a destroyed socket never says: a command that is
 * sent while the socket closes, or that waits while the pool is cleared or closed, would wait for ever.
 */
export function endWaitsOf(client: mongo.MongoClient): void {
  const seen = new WeakSet<object>();
  client.on('connectionPoolCreated', () => {
    const topology = topologyOf(client);
    if (!topology) return;
    for (const server of serversOf(topology)) {
      if (seen.has(server)) continue;
      seen.add(server);
      onEachSocket(server, endWaits);
    }
  });
}

/** Whoever waits for 'drain' listens for 'error', too, and takes it as it is: only a network error is one to try again after. */
function endWaits(socket: Socket): void {
  const end = (cause?: Error) => {
    const { MongoNetworkError } = mongoose.mongo;
    if (socket.listenerCount('drain') === 0 || cause instanceof MongoNetworkError) return;
    const message = cause?.message ?? 'the socket was closed before it had taken the whole command';
    socket.emit('error', new MongoNetworkError(message, { ...(cause && { cause }) }));
  };
  socket.on('error', end);
  socket.on('close', () => end());
  socket.on('newListener', (event) => {
    if (event === 'drain' && socket.destroyed) process.nextTick(end);
  });
}
