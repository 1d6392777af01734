import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable, type ModuleMetadata } from '@nestjs/common';
import { getConnectionToken, getModelToken, InjectConnection, InjectModel, MongooseModule } from '@nestjs/mongoose';
import { HealthCheckService, MongooseHealthIndicator, TerminusModule } from '@nestjs/terminus';
import { Test, type TestingModule } from '@nestjs/testing';
import mongoose, { type Connection, type Model, type Schema } from 'mongoose';
import {
  getPolyConnectionToken,
  getPolyModelToken,
  InjectPolyConnection,
  InvalidDatabaseNameError,
  PolyMongoModule,
  TenantContext,
  type PolyModel,
  type PolyMongoOptions,
} from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';

interface Bird {
  song: string;
}
const birds = () => new mongoose.Schema<Bird>({ song: String });
const twoFooted = (schema: Schema) => void schema.add({ feet: { type: Number, default: 2 } });

let server: EmbeddedMongo;
let app: TestingModule | undefined;
beforeAll(async () => void (server = await EmbeddedMongo.start()));
afterEach(async () => {
  await app?.close();
  app = undefined;
});
afterAll(() => server.stop());

async function start(
  options: Omit<PolyMongoOptions, 'mongoURI'> & { mongooseTokens?: boolean },
  imports: ModuleMetadata['imports'] = [],
  providers: ModuleMetadata['providers'] = [],
): Promise<TestingModule> {
  app = await Test.createTestingModule({
    imports: [PolyMongoModule.forRoot({ mongoURI: server.uri, ...options }), ...imports],
    providers,
  }).compile();
  return app.init();
}

describe('@InjectPolyConnection', () => {
  @Injectable()
  class Places {
    constructor(
      @InjectPolyConnection() readonly main: Connection,
      @InjectPolyConnection('billing') readonly billing: Connection,
    ) {}
  }

  it('injects the connection of the default database, or of the named one', async () => {
    const feature = PolyMongoModule.forFeature([{ name: 'Bird', schema: birds() }]);
    const { main, billing } = (await start({ defaultDB: 'nest' }, [feature], [Places])).get(Places);
    expect([main.name, billing.name]).toEqual(['nest', 'billing']);
    expect(billing).toBe(app!.get<PolyModel<Bird>>(getPolyModelToken('Bird')).db('billing').db);
    await billing.collection('bills').insertOne({ sum: 1 });
    expect(await billing.collection('bills').countDocuments()).toBe(1);
    expect(app!.get(getPolyConnectionToken())).toBe(main);
    expect(() => InjectPolyConnection('a/b')).toThrow(InvalidDatabaseNameError);
  });
});

describe('connectionFactory', () => {
  it.each([
    ['', (connection: Connection) => connection.plugin(twoFooted as never)],
    [
      ' that takes its time',
      async (connection: Connection) => {
        await new Promise((resolve) => setImmediate(resolve));
        connection.plugin(twoFooted as never);
        return connection;
      },
    ],
  ])('has its plugins on the models of every database%s', async (_, connectionFactory) => {
    const feature = PolyMongoModule.forFeature([{ name: 'Bird', schema: birds() }]);
    await start({ connectionFactory, mongooseTokens: true }, [feature]);
    const Bird = app!.get<PolyModel<Bird>>(getPolyModelToken('Bird'));
    expect([new Bird(), new (Bird.db('acme'))()].map((bird) => bird.get('feet'))).toEqual([2, 2]);
    const connection = app!.get<Connection>(getConnectionToken());
    expect(connection).toBe(app!.get(getPolyConnectionToken()));
    expect(new (connection.model('Fish', birds()))().get('feet')).toBe(2);
  });

  it('is given the connection itself otherwise, and says what comes too late', async () => {
    let given: Connection | undefined;
    let connected = 0;
    const connectionFactory = (connection: Connection, dbName: string) => {
      given = connection;
      expect(dbName).toBe('nest');
      return connection.on('connected', () => connected++);
    };
    const feature = PolyMongoModule.forFeature([{ name: 'Bird', schema: birds() }]);
    await start({ defaultDB: 'nest', connectionFactory, coldStart: false }, [feature]);
    expect({ connected, name: given!.name }).toEqual({ connected: 1, name: 'nest' });
    expect(() => given!.plugin(twoFooted as never)).toThrow('connectionFactory came too late');
  });
});

describe("@nestjs/mongoose's own tokens", () => {
  @Injectable()
  class Library {
    constructor(
      @InjectConnection() readonly connection: Connection,
      @InjectModel('Bird') readonly birds: Model<Bird>,
    ) {}
  }
  const feature = (mongooseToken: 'default' | 'tenant') =>
    PolyMongoModule.forFeature([{ name: 'Bird', schema: birds(), mongooseToken }]);

  it('are the connection of the default database, connected, and its model', async () => {
    await start({ mongooseTokens: true, defaultDB: 'main' }, [feature('default')], [Library]);
    const library = app!.get(Library);
    expect({ state: library.connection.readyState, name: library.connection.name }).toEqual({ state: 1, name: 'main' });
    await library.birds.create({ song: 'tweet' });
    expect(await library.connection.collection('birds').countDocuments()).toBe(1);
  });

  it('are the tenant’s model where the definition asks for it', async () => {
    await start({ mongooseTokens: true, tenant: {} }, [feature('tenant')], [Library]);
    const model = app!.get<Model<Bird>>(getModelToken('Bird'), { strict: false });
    await app!.get(TenantContext).run('acme', () => model.create({ song: 'caw' }));
    expect(await app!.get<PolyModel<Bird>>(getPolyModelToken('Bird')).db('tenant_acme').countDocuments()).toBe(1);
  });

  it('are there only when somebody asks', async () => {
    await start({}, [PolyMongoModule.forFeature([{ name: 'Bird', schema: birds() }])]);
    for (const token of [getConnectionToken(), getModelToken('Bird')])
      expect(() => app!.get(token, { strict: false })).toThrow(/could not find/);
    expect(() =>
      PolyMongoModule.forFeature([{ name: 'Bird', schema: birds(), mongooseToken: 'all' as never }]),
    ).toThrow('mongooseToken');
  });

  it('have MongooseModule.forFeature, as libraries call it, make its models on the default database', async () => {
    await start({ mongooseTokens: true }, [MongooseModule.forFeature([{ name: 'Bird', schema: birds() }])], [Library]);
    const library = app!.get(Library);
    await library.birds.create({ song: 'coo' });
    expect(library.birds.db).toBe(library.connection);
  });

  it.each([
    [undefined, 'ok'],
    [true, 'error'],
  ])("have terminus's MongooseHealthIndicator find coldStart %s %s", async (coldStart, status) => {
    await start({ mongooseTokens: true, ...(coldStart !== undefined && { coldStart }) }, [TerminusModule]);
    const indicator = await app!.resolve(MongooseHealthIndicator, undefined, { strict: false });
    const health = app!.get(HealthCheckService, { strict: false });
    const { status: found } = await health
      .check([() => indicator.pingCheck('mongodb')])
      .catch((error: { getResponse(): { status: string } }) => error.getResponse());
    expect(found).toBe(status);
  });
});

it.each([
  ['uri', 'Here it is mongoURI.'],
  ['dbName', 'Here it is defaultDB.'],
  ['retryAttempts', 'retry: { attempts, delayMS }'],
  ['retryDelay', 'retry: { attempts, delayMS }'],
  ['lazyConnection', 'coldStart: false'],
  ['verboseRetryLog', 'debug: true'],
  ['connectionName', '@InjectPolyConnection(name)'],
  ['connectionErrorFactory', 'PoolConnectError'],
  ['user', 'driverOptions: { auth'],
])('the option %s of MongooseModule is refused with what is there in its place', async (name, text) => {
  const made = Test.createTestingModule({
    imports: [PolyMongoModule.forRoot({ mongoURI: server.uri, [name]: 'x' } as never)],
  });
  await expect(made.setLogger(false as never).compile()).rejects.toThrow(`Unknown option ${name}. `);
  await expect(made.compile()).rejects.toThrow(text);
});
