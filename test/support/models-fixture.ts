import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import mongoose from 'mongoose';
import { PolyMongoWrapper, type PolyMongoOptions } from 'nestjs-polymongo';
import { uniqueName } from './database-names.js';
import { startTestServer, type TestServer } from './test-server.js';

/** A wrapper and a mongoose of its own for each test, on two databases that are dropped after it. */
export interface ModelsFixture {
  readonly main: string;
  readonly other: string;
  readonly polymongo: PolyMongoWrapper;
  readonly mongoose: mongoose.Mongoose;
  /** Another wrapper, closed after the test. */
  create(options?: Partial<PolyMongoOptions>): PolyMongoWrapper;
}

export function useModels(subject: string): ModelsFixture {
  const [main, other] = [uniqueName(`${subject}_main`), uniqueName(`${subject}_other`)];
  const open: PolyMongoWrapper[] = [];
  let server: TestServer;
  let instance: mongoose.Mongoose;

  const create = (options: Partial<PolyMongoOptions> = {}) => {
    const polymongo = new PolyMongoWrapper({ mongoURI: server.uri, defaultDB: main, ...options, handleSignals: false });
    open.push(polymongo);
    return polymongo;
  };

  beforeAll(async () => {
    server = await startTestServer();
  });
  beforeEach(() => {
    instance = new mongoose.Mongoose();
    create();
  });
  afterEach(async () => {
    for (const name of [main, other]) await open[0]!.pools.connectionOf(name).dropDatabase();
    await Promise.all(open.splice(0).map((polymongo) => polymongo.actions.closeAll()));
  });
  afterAll(() => server.stop());

  return {
    main,
    other,
    create,
    get polymongo() {
      return open[0]!;
    },
    get mongoose() {
      return instance;
    },
  };
}
