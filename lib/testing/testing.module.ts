import {
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { PolyMongoModuleOptions } from '../polymongo.module-options.js';
import { PolyMongoModule } from '../polymongo.module.js';
import { getPolyMongoToken } from '../polymongo.parts.js';
import { PolyMongoWrapper } from '../polymongo.wrapper.js';
import { EmbeddedMongo } from './embedded-mongo.js';
import { freshDatabase } from './fresh-database.js';
import { sharedServerURI } from './shared-server.js';

/** What a test says of its application; the rest is as in {@link PolyMongoModule.forRoot}. */
export interface PolyMongoTestingOptions extends Partial<PolyMongoModuleOptions> {
  /**
   * The beginning of the names of all databases: the default one has this name, a tenant's `<database>_<id>`. Default: one that no other
   * test has. Databases with this beginning are dropped at the end.
   */
  database?: string;
}

/** The server of one application: its own, or one that others use as well. */
interface TestServer {
  readonly uri: string;
  /** Where it is the application's own. */
  stop?(): Promise<void>;
}

const SERVER = Symbol('polymongo.testing.server');
const DATABASE = Symbol('polymongo.testing.database');
const WRAPPER = Symbol('polymongo.testing.wrapper');

/**
 * `PolyMongoModule` with a MongoDB of its own, in the process: it starts with the application and stops with it. With a `mongoURI`, or
 * where {@link globalSetup} has started a server for the whole run, that one is used, and the application's databases are dropped at the end.
 *
 * @example
 * const app = await Test.createTestingModule({
 *   imports: [PolyMongoTestingModule.forRoot(), PolyMongoModule.forFeature([{ name: User.name, schema: UserSchema }])],
 * }).compile();
 * await app.init();
 */
@Module({})
export class PolyMongoTestingModule implements BeforeApplicationShutdown, OnApplicationShutdown {
  /** @internal Made by Nest. */
  constructor(
    @Inject(SERVER) private readonly server: TestServer,
    @Inject(DATABASE) private readonly database: string,
    @Inject(WRAPPER) private readonly wrapper: PolyMongoWrapper,
  ) {}

  /**
   * Everything may be left out; `name` makes it the root of that name.
   * @throws EmbeddedMongoMissingError when the application starts, where it needs a server and embedded-mongo is not installed
   */
  static forRoot(options: PolyMongoTestingOptions = {}): DynamicModule {
    const { name, mongooseTokens, database = freshDatabase(), mongoURI, ...given } = options;
    const server = (): Promise<TestServer> | TestServer => {
      const uri = mongoURI ?? sharedServerURI();
      return uri === undefined ? EmbeddedMongo.start() : { uri };
    };
    const servers: DynamicModule = {
      module: TestServerModule,
      providers: [{ provide: SERVER, useFactory: server }],
      exports: [SERVER],
    };
    const root = PolyMongoModule.forRootAsync({
      ...(name !== undefined && { name }),
      ...(mongooseTokens !== undefined && { mongooseTokens }),
      imports: [servers],
      inject: [SERVER],
      useFactory: ({ uri }: TestServer) => ({
        mongoURI: uri,
        defaultDB: database,
        ...given,
        tenant: { database: (tenantId) => `${database}_${tenantId}`, ...given.tenant },
      }),
    });
    return {
      module: PolyMongoTestingModule,
      imports: [servers, root],
      providers: [
        { provide: DATABASE, useValue: database },
        { provide: WRAPPER, useExisting: getPolyMongoToken(PolyMongoWrapper, name) },
      ],
    };
  }

  /** For Nest: drops what the application has made on a server that others use as well. */
  async beforeApplicationShutdown(): Promise<void> {
    if (this.server.stop) return;
    const { pools, options } = this.wrapper;
    const isOurs = (name: string) => name === this.database || name.startsWith(`${this.database}_`);
    await pools.run(options.defaultDB, async (connection) => {
      const client = connection.getClient();
      const { databases } = await connection.db!.admin().listDatabases({ nameOnly: true });
      for (const { name } of databases) if (isOurs(name)) await client.db(name).dropDatabase();
    });
  }

  /** For Nest: first the clients, then their server. */
  async onApplicationShutdown(): Promise<void> {
    await this.wrapper.actions.closeAll();
    await this.server.stop?.();
  }
}

@Module({})
class TestServerModule {}
