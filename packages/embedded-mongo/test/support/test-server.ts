import { EmbeddedMongo } from 'embedded-mongo';

/** The MongoDB a test file runs on. */
export interface TestServer {
  readonly uri: string;
  /** Stops the server if this file started it. */
  stop(): Promise<void>;
}

/** The server that the test run chose (`choose-server.mjs`), or else an embedded one for this file alone. */
export async function startTestServer(): Promise<TestServer> {
  const uri = process.env.POLYMONGO_TEST_URI;
  if (uri) return { uri, stop: async () => {} };
  const mongo = await EmbeddedMongo.start();
  return { uri: mongo.uri, stop: () => mongo.stop() };
}
