import type { EmbeddedMongo as EmbeddedServer, EmbeddedMongoOptions } from 'embedded-mongo';
import { loadEmbeddedMongo } from './embedded-mongo.loader.js';

/** A running server of the package embedded-mongo: its `uri`, and how it is stopped, restarted and disturbed. */
export type EmbeddedMongo = EmbeddedServer;

/**
 * A MongoDB in this process, of the package embedded-mongo, which is loaded when the first one starts.
 *
 * @example
 * const mongo = await EmbeddedMongo.start();
 * PolyMongoModule.forRoot({ mongoURI: mongo.uri });
 * …
 * await mongo.stop();
 */
export const EmbeddedMongo = {
  /**
   * Starts a server with no data, on any free port unless told otherwise.
   * @throws EmbeddedMongoMissingError when embedded-mongo is not installed
   * @throws Error EADDRINUSE when the port is taken
   */
  async start(options?: EmbeddedMongoOptions): Promise<EmbeddedMongo> {
    const server = await loadEmbeddedMongo();
    return server.EmbeddedMongo.start(options);
  },
};
