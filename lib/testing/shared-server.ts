import { EmbeddedMongo } from './embedded-mongo.js';

/** What {@link globalSetup} has started; Jest loads its setup and its teardown each by itself. */
const SERVER: unique symbol = Symbol.for('polymongo.testing.shared') as never;
const shared = globalThis as { [SERVER]?: EmbeddedMongo };

/** The server that {@link globalSetup} has started for all tests of the run; undefined where nobody has. */
export const sharedServerURI = (): string | undefined => process.env['POLYMONGO_SHARED_SERVER'];

/**
 * Starts one server for all tests of a run, for Jest's `globalSetup` (with {@link globalTeardown}) and Vitest's, which calls what it
 * gives back. `PolyMongoTestingModule` uses it from then on.
 * @throws EmbeddedMongoMissingError
 */
export async function globalSetup(): Promise<() => Promise<void>> {
  const server = await EmbeddedMongo.start();
  shared[SERVER] = server;
  process.env['POLYMONGO_SHARED_SERVER'] = server.uri; // told to the workers of the run
  return globalTeardown;
}

/** Stops what {@link globalSetup} has started. */
export async function globalTeardown(): Promise<void> {
  delete process.env['POLYMONGO_SHARED_SERVER'];
  const server = shared[SERVER];
  delete shared[SERVER];
  await server?.stop();
}
