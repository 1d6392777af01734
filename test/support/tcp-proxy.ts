import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A network between clients and one server on this machine, with its faults. */
export class TcpProxy {
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #server: Server | undefined;
  #isHalfOpen = false;

  private constructor(private readonly target: number) {}

  static async to(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await proxy.accept();
    return proxy;
  }

  #port = 0;
  get port(): number {
    return this.#port;
  }

  /** Takes connections (again), on the same port. */
  async accept(): Promise<void> {
    if (this.#server) return;
    const server = createServer((client) => this.#link(client)).listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Refuses new connections; the open ones go on. */
  refuse(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** Ends every connection. */
  drop(): void {
    for (const [client, upstream] of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
  }

  /** Takes nothing more from the clients that are connected: what they send stays with them. */
  clog(): void {
    for (const [client] of this.#pairs) client.pause();
  }

  /** Swallows what either side sends, on old connections and new ones, and tells neither. */
  halfOpen(): void {
    this.#isHalfOpen = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.removeAllListeners('data').resume();
  }

  /** Lets bytes through again; connections that lost some stay mute until somebody gives them up. */
  heal(): void {
    this.#isHalfOpen = false;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = server && once(server, 'close');
    server?.close();
    this.drop();
    await closed;
  }

  #link(client: Socket): void {
    const upstream = connect(this.target, '127.0.0.1');
    const pair = [client, upstream] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [upstream, client]] as const) {
      from.setNoDelay(true);
      from.on('error', () => from.destroy());
      from.on('close', () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
      if (this.#isHalfOpen) from.resume();
      else from.on('data', (chunk) => to.write(chunk));
    }
  }
}
