import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { PolyMongoWrapper, type PolyMongoOptions } from 'nestjs-polymongo';
import { EmbeddedMongo, type EmbeddedMongoOptions } from 'nestjs-polymongo/testing';
import { ServerProbe } from './server-probe.js';

/** A server of one test file, a probe that looks at it, and wrappers that end with the test that made them. */
export interface PoolsFixture {
  readonly server: EmbeddedMongo;
  readonly probe: ServerProbe;
  create(options?: Partial<PolyMongoOptions>): PolyMongoWrapper;
}

/** @param withCredentials puts a user's name and password in a URI, when the server is started with users */
export function usePools(
  serverOptions: EmbeddedMongoOptions = {},
  withCredentials: (uri: string) => string = (uri) => uri,
): PoolsFixture {
  let server: EmbeddedMongo | undefined;
  let probe: ServerProbe | undefined;
  const open: PolyMongoWrapper[] = [];

  beforeAll(async () => {
    server = await EmbeddedMongo.start(serverOptions);
    probe = await ServerProbe.open(withCredentials(server.uri));
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((polymongo) => polymongo.actions.forceCloseAll()));
  });
  afterAll(async () => {
    await probe?.close();
    await server?.stop();
  });

  return {
    get server() {
      return server!;
    },
    get probe() {
      return probe!;
    },
    create(options = {}) {
      const polymongo = new PolyMongoWrapper({
        mongoURI: withCredentials(server!.uri),
        ...options,
        handleSignals: false,
      });
      open.push(polymongo);
      return polymongo;
    },
  };
}
