import { describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import {
  PoolConnectError,
  PoolInitializingError,
  PolyMongoModule,
  PolyMongoWrapper,
  type PolyMongoOptions,
} from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { wrapItems } from '../../support/items.js';
import { ONE_MONITOR } from '../../support/server-probe.js';
import { settle } from '../../support/settling.js';
import { usePools } from '../../support/pools-fixture.js';
import { waitFor } from '../../support/wait-for.js';

const fixture = usePools();
const CLOSED_PORT = 'mongodb://someone:s3cret@127.0.0.1:1/';
const FAST = { serverSelectionTimeoutMS: 200 };

const create = (options: Partial<PolyMongoOptions> = {}) => fixture.create(options);

describe('a pool that starts cold', () => {
  it('makes one client for a thousand calls at once, which all succeed', async () => {
    const polymongo = create({ maxPoolSize: 4, driverOptions: ONE_MONITOR });
    const items = wrapItems(polymongo);
    const before = await fixture.probe.sockets();
    let opened = 0;
    polymongo.pools.events.on('poolState', ({ to }) => (opened += to === 'connecting' ? 1 : 0));
    expect(before).toBe(0);
    const calls = await settle(
      Array.from({ length: 1_000 }, (_, i) =>
        items
          .db(`cold_${i % 5}`)
          .countDocuments()
          .exec(),
      ),
    );
    expect(calls.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(opened).toBe(1);
    expect(await fixture.probe.sockets()).toBeLessThanOrEqual(4 + 1);
  });

  it('is not opened by making models, documents or queries', () => {
    const polymongo = create();
    const items = wrapItems(polymongo);
    void new (items.db('untouched'))({ n: 1 });
    void items.db('untouched').find({ n: 1 }).sort({ n: 1 });
    expect(polymongo.getConnectionState()).toBe('disconnected');
  });

  it('tells those who turned buffering off that it is not initialized, and opens meanwhile', async () => {
    const polymongo = create();
    const items = wrapItems(polymongo, { bufferCommands: false });
    const first = items.countDocuments().exec();
    await expect(first).rejects.toThrow(PoolInitializingError);
    await expect(first).rejects.toThrow(/Connection for default is still initializing.*not initialized/);
    await polymongo.pools.connect('default');
    expect(await items.countDocuments()).toBe(0);
  });
});

describe('a connect that fails', () => {
  it('gives each waiting caller its reason, without the password, and the next call tries again', async () => {
    const port = await freePort();
    const polymongo = create({ mongoURI: `mongodb://127.0.0.1:${port}/?replicaSet=rs0`, driverOptions: FAST });
    const items = wrapItems(polymongo);
    const results = await settle(Array.from({ length: 100 }, () => items.countDocuments().exec()));
    for (const result of results) {
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'PoolConnectError', dbName: 'default' } });
      expect(String((result as PromiseRejectedResult).reason)).toMatch(/Database connection not ready.*ECONNREFUSED/);
    }
    expect(polymongo.isConnected()).toBe(false);

    const late = await EmbeddedMongo.start({ port });
    expect(await items.countDocuments()).toBe(0);
    expect(polymongo.isConnected()).toBe(true);
    await polymongo.actions.closeAll();
    await late.stop();
  });

  it.each([
    ['at once', '', /ECONNREFUSED/],
    ['between retries', '&serverSelectionTimeoutMS=50', /ECONNREFUSED/],
  ])('says that it waits while it still does, when the server is missed %s', async (_, option, reason) => {
    const polymongo = create({
      mongoURI: `${CLOSED_PORT}?replicaSet=rs0${option}`,
      retry: { attempts: 99, delayMS: 100 },
    });
    const told = new Promise<object>((resolve) => polymongo.pools.events.on('connectDelayed', resolve));
    const call = settle([wrapItems(polymongo).countDocuments().exec()]);
    const event = await told;
    expect(polymongo.pools.primary.state).toBe('connecting');
    expect(event).toEqual({ pool: 'default', uri: expect.any(String), reason: expect.stringMatching(reason) });
    expect(JSON.stringify(event)).not.toContain('s3cret');
    await polymongo.actions.forceCloseAll();
    await call;
  });

  it('shows no credentials in its error', async () => {
    const error = await create({ mongoURI: CLOSED_PORT, driverOptions: FAST })
      .pools.connect('default')
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(PoolConnectError);
    expect(String(error)).not.toContain('s3cret');
    expect(String(error)).toContain('mongodb://***:***@127.0.0.1:1/');
  });

  it('says so when it was the authentication that failed', async () => {
    const guarded = await EmbeddedMongo.start({ users: [{ username: 'ann', password: 'right' }] });
    const mongoURI = guarded.uri.replace('mongodb://', 'mongodb://ann:wrong@');
    const connecting = create({ mongoURI, driverOptions: FAST }).pools.connect('default');
    await expect(connecting).rejects.toThrow(/authentication failed/);
    await guarded.stop();
  });

  it('is repeated as often as `retry` says, and says at the end that it was', async () => {
    const polymongo = create({ mongoURI: CLOSED_PORT, driverOptions: FAST, retry: { attempts: 3, delayMS: 5 } });
    const connecting = polymongo.scale.connectDB('other');
    await expect(connecting).rejects.toThrow(/Max reconnection attempts reached \(3\)/);
    await expect(connecting).rejects.toMatchObject({ attempts: 3 });
  });

  it('connects with a later try', async () => {
    const port = await freePort();
    const polymongo = create({
      mongoURI: `mongodb://127.0.0.1:${port}/?replicaSet=rs0`,
      driverOptions: FAST,
      retry: { attempts: 50, delayMS: 10 },
    });
    const connecting = polymongo.pools.connect('default');
    const late = await EmbeddedMongo.start({ port });
    await connecting;
    await polymongo.actions.closeAll();
    await late.stop();
  });

  it.each(['closeAll', 'forceCloseAll'] as const)(
    'is given up by %s, and its callers hear of the shutdown',
    async (how) => {
      const polymongo = create({
        mongoURI: CLOSED_PORT,
        driverOptions: { serverSelectionTimeoutMS: 60_000 },
        retry: { attempts: 9, delayMS: 60_000 },
        shutdownTimeoutMS: 100,
      });
      const waiting = wrapItems(polymongo).countDocuments().exec();
      const seen = expect(waiting).rejects.toThrow(/shutting down/);
      await settle([polymongo.actions[how](), seen], 3_000);
      expect(polymongo.getConnectionState()).toBe('disconnected');
    },
  );
});

describe('an eager pool', () => {
  const start = (options: Partial<PolyMongoOptions>) =>
    Test.createTestingModule({
      imports: [PolyMongoModule.forRoot({ mongoURI: fixture.server.uri, coldStart: false, ...options })],
    }).compile();

  it('is connected before the application has started; one that is to start cold is not', async () => {
    const module = await start({
      dbSpecific: [{ dbName: 'eager' }, { dbName: 'lazy', options: { coldStart: true } }],
    });
    await module.init();
    const { pools } = module.get(PolyMongoWrapper);
    expect([pools.primary, pools.poolOf('eager'), pools.poolOf('lazy')].map(({ state }) => state)).toEqual([
      'connected',
      'connected',
      'cold',
    ]);
    await module.close();
  });

  it('stops the start when it cannot connect, and leaves nothing open', async () => {
    const module = await start({
      dbSpecific: [{ dbName: 'far', mongoURI: CLOSED_PORT }],
      driverOptions: { ...FAST, ...ONE_MONITOR },
    });
    await expect(module.init()).rejects.toThrow(/far could not connect/);
    expect(module.get(PolyMongoWrapper).stats.general().totalConnectionsAcrossPools).toBe(0);
    expect(module.get(PolyMongoWrapper).getConnectionState()).toBe('disconnected');
  });

  it('that cannot connect at first is tried again as `retry` says, while the start waits', async () => {
    const port = await freePort();
    const mongoURI = `mongodb://127.0.0.1:${port}/?replicaSet=rs0`;
    const late = await start({ mongoURI, driverOptions: FAST, retry: { attempts: 50, delayMS: 10 } });
    const started = late.init();
    const server = await EmbeddedMongo.start({ port });
    await started;
    expect(late.get(PolyMongoWrapper).isConnected()).toBe(true);
    await late.close();
    await server.stop();

    const never = await start({ mongoURI, driverOptions: FAST, retry: { attempts: 2, delayMS: 5 } });
    await expect(never.init()).rejects.toThrow(/Max reconnection attempts reached \(2\).*ECONNREFUSED/);
  });

  it('belongs to an application that listens to no signal by itself', async () => {
    const listeners = () => ['SIGINT', 'SIGTERM', 'SIGUSR2'].map((signal) => process.listenerCount(signal));
    const before = listeners();
    const module = await start({});
    await module.init();
    expect(listeners()).toEqual(before);
    await module.close();
  });

  it('connects in the background without Nest, and tells a failure to onDbError', async () => {
    const polymongo = create();
    const failure = new Promise((resolve) => polymongo.onDbError((error, { db }) => resolve({ error, db })));
    polymongo.scale.setDB('far', { mongoURI: CLOSED_PORT, driverOptions: FAST, coldStart: false });
    expect(await failure).toMatchObject({ db: 'far', error: { name: 'PoolConnectError' } });
  });
});

it.each(['scale', 'pools'] as const)('%s.setDB with coldStart: false connects at once', async (part) => {
  const polymongo = create();
  polymongo[part].setDB('eager', { coldStart: false });
  await waitFor(() => polymongo.pools.poolOf('eager').state === 'connected');
});

async function freePort(): Promise<number> {
  const short = await EmbeddedMongo.start();
  await short.stop();
  return short.port;
}
