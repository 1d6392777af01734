import { once } from 'node:events';
import { WebSocket } from 'ws';

interface Payload {
  errors?: unknown;
  data?: unknown;
}

type Told = (error: Error | undefined, data: unknown) => void;

/** Subscribes to GraphQL over one WebSocket, which a tenant opens. */
export class GraphqlSubscriber {
  readonly #waiting = new Map<string, Told>();
  #next = 0;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (message: Buffer) => {
      const { id, type, payload } = JSON.parse(message.toString()) as { id: string; type: string; payload: Payload };
      const told = this.#waiting.get(id);
      if (type === 'next' && !payload.errors) told?.(undefined, payload.data);
      else told?.(new Error(JSON.stringify(payload ?? type)), undefined);
    });
  }

  /**
   * @param host with its port
   * @param tenant in the handshake's header
   * @param payload what connection_init brings
   */
  static async connect(
    host: string,
    tenant: string | undefined,
    headers: Record<string, string> = {},
    payload?: object,
  ): Promise<GraphqlSubscriber> {
    const socket = new WebSocket(`ws://${host}/graphql`, 'graphql-transport-ws', {
      headers: { ...(tenant && { 'x-tenant-id': tenant }), ...headers },
    });
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init', payload }));
    await once(socket, 'message'); // the acknowledgement
    return new GraphqlSubscriber(socket);
  }

  /** The first thing that a subscription is told. */
  async first(query: string): Promise<unknown> {
    const id = String(this.#next++);
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, (error, data) => (error ? reject(error) : resolve(data)));
        this.socket.once('close', () => reject(new Error('The socket was closed.')));
        this.socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query } }));
      });
    } finally {
      this.#waiting.delete(id);
      this.socket.send(JSON.stringify({ id, type: 'complete' }));
    }
  }

  async close(): Promise<void> {
    this.socket.close();
    if (this.socket.readyState !== WebSocket.CLOSED) await once(this.socket, 'close');
  }
}
