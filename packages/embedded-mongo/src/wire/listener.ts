import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { once } from 'node:events';
import type { RequestHandler } from '../commands/request.js';
import { Connection, type StallGate } from './connection.js';
import { ReceiveBudget } from './receive-budget.js';

const HOST = '127.0.0.1';

/** The loopback TCP port and the connections accepted on it. */
export class Listener implements StallGate {
  stalled: Promise<void> | undefined;
  private readonly connections = new Set<Connection>();
  private server: Server | undefined;
  private endStall: (() => void) | undefined;
  private connectionCount = 0;
  private readonly budget = new ReceiveBudget();

  get openConnections(): number {
    return this.connections.size;
  }

  get totalConnections(): number {
    return this.connectionCount;
  }

  /**
   * @param port 0 for any free one
   * @param handlerOf makes what answers, given the port that is listened on
   * @returns that port
   */
  async listen(port: number, handlerOf: (port: number) => RequestHandler): Promise<number> {
    const server = createServer();
    server.listen(port, HOST);
    await once(server, 'listening');
    this.server = server;
    const bound = (server.address() as AddressInfo).port;
    const handler = handlerOf(bound);
    server.on('connection', (socket) => {
      const connection = new Connection(++this.connectionCount, socket, handler, this, this.budget);
      this.connections.add(connection);
      socket.once('close', () => this.connections.delete(connection));
    });
    return bound;
  }

  dropConnections(): void {
    for (const connection of this.connections) connection.close();
  }

  /** Accepts connections and bytes, but answers nothing for so long. A second call starts the time anew. */
  stall(ms: number): void {
    this.endStall?.();
    this.stalled = new Promise((resolve) => {
      const timer = setTimeout(() => this.endStall?.(), ms);
      this.endStall = () => {
        clearTimeout(timer);
        this.stalled = this.endStall = undefined;
        resolve();
      };
    });
  }

  async close(): Promise<void> {
    const { server } = this;
    if (!server) return;
    this.server = undefined;
    const closed = once(server, 'close');
    server.close();
    this.dropConnections();
    this.endStall?.();
    await closed;
  }
}
