import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { waitFor } from './wait-for.js';

/** An embedded server that can be killed and started again on its port, without its data. */
export class MortalServer {
  #server: EmbeddedMongo | undefined;

  private constructor(
    readonly uri: string,
    readonly port: number,
    server: EmbeddedMongo,
  ) {
    this.#server = server;
  }

  static async start(): Promise<MortalServer> {
    const server = await EmbeddedMongo.start();
    return new MortalServer(server.uri, server.port, server);
  }

  /** Again, if it was killed. */
  async start(): Promise<void> {
    // While it was away somebody else on this machine may have been given its port for a moment.
    this.#server ??= await waitFor(() => EmbeddedMongo.start({ port: this.port }));
  }

  dropConnections(): void {
    this.#server?.dropConnections();
  }

  /** Ends its connections, takes no new ones. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.stop();
  }
}
