import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mongo } from 'mongoose';
import { PolyMongoError, PoolQueueTimeoutError, PolyMongoWrapper, type PolyModel } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { numbered, wrapItems, type Item } from '../support/items.js';
import { eventually } from '../support/server-probe.js';
import { settle } from '../support/settling.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const DATABASES = ['shared_a', 'shared_b', 'own_a', 'own_b'];
const ROUNDS = process.env.POLYMONGO_LONG ? 10 : 1;
const SOCKET_TIMEOUT_MS = 800;
/** An operation is tried at most twice by the driver: selection, wait queue and socket, each with its timeout. */
const LONGEST_CALL_MS = 6_000;
const BACK_WITHIN_MS = 5_000;

let server: EmbeddedMongo;
let proxy: TcpProxy;
let polymongo: PolyMongoWrapper;
let items: PolyModel<Item>;

beforeEach(async () => {
  server = await EmbeddedMongo.start();
  proxy = await TcpProxy.to(server.port);
  polymongo = new PolyMongoWrapper({
    mongoURI: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`,
    maxPoolSize: 3,
    waitQueueTimeoutMS: 1_000,
    shutdownTimeoutMS: 1_000,
    driverOptions: {
      serverSelectionTimeoutMS: 1_000,
      socketTimeoutMS: SOCKET_TIMEOUT_MS,
      connectTimeoutMS: 500,
      heartbeatFrequencyMS: 500,
    },
    dbSpecific: [{ dbName: 'own_a' }, { dbName: 'own_b', options: { autoClose: true, ttl: 50 } }],
    handleSignals: false,
  });
  items = wrapItems(polymongo);
  await Promise.all(DATABASES.map((name) => items.db(name).create({ n: 0 })));
});
afterEach(async () => {
  await polymongo.actions.forceCloseAll();
  await proxy.stop();
  await server.stop();
});

/** What the driver says, or the pool for it: of the sockets that none got free of in time. */
const isDriverError = (error: unknown): boolean =>
  error instanceof mongo.MongoError ||
  error instanceof PoolQueueTimeoutError ||
  (error instanceof PolyMongoError && isDriverError(error.cause));

/** Reads and writes on every database all the while; tells what failed, and that nothing took too long. */
class Load {
  readonly errors: unknown[] = [];
  readonly acknowledged = new Map(DATABASES.map((name) => [name, 0]));
  longestMS = 0;
  #isOver = false;
  readonly #workers = DATABASES.flatMap((name) => Array.from({ length: 4 }, () => this.#work(name)));

  async stop(): Promise<void> {
    this.#isOver = true;
    await settle(this.#workers, LONGEST_CALL_MS + 1_000);
  }

  async #work(name: string): Promise<void> {
    while (!this.#isOver) {
      const startedAt = Date.now();
      try {
        await items.db(name).create({ n: 1 });
        this.acknowledged.set(name, this.acknowledged.get(name)! + 1);
        await items.db(name).findOne({ n: 1 });
      } catch (error) {
        this.errors.push(error);
      }
      this.longestMS = Math.max(this.longestMS, Date.now() - startedAt);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const FAULTS: [string, () => Promise<void>][] = [
  ['the server is killed and started again', () => server.restart()],
  ['every connection is dropped', async () => proxy.drop()],
  [
    'the server is away for a while',
    async () => {
      proxy.refuse();
      proxy.drop();
      await pause(700);
      await proxy.accept();
    },
  ],
  [
    'connections are half open',
    async () => {
      proxy.halfOpen();
      await pause(1_000);
      proxy.heal();
    },
  ],
  [
    'the server stalls for two seconds',
    async () => {
      server.stall(2_000);
      await pause(2_000);
    },
  ],
  [
    'pools are cleared',
    async () => {
      for (const name of DATABASES) clearPools(polymongo.pools.poolOf(name).client);
    },
  ],
];

describe.each(FAULTS)('when %s', (_, fault) => {
  it(
    'every operation ends in time, with its result or the driver error, and all databases serve again by themselves',
    async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const load = new Load();
        await pause(50);
        await fault();
        const healedAt = Date.now();
        await settle(
          DATABASES.map((name) => eventually(() => items.db(name).findOne().exec(), BACK_WITHIN_MS)),
          2 * BACK_WITHIN_MS,
        );
        for (const name of DATABASES) await items.db(name).findOne();
        expect(Date.now() - healedAt).toBeLessThan(BACK_WITHIN_MS);
        await load.stop();
        expect(load.errors.filter((error) => !isDriverError(error))).toEqual([]);
        expect(load.longestMS).toBeLessThan(LONGEST_CALL_MS);
        for (const name of DATABASES) {
          // An unacknowledged write may have happened; an acknowledged one must have.
          expect(await items.db(name).countDocuments({ n: 1 })).toBeGreaterThanOrEqual(load.acknowledged.get(name)!);
          await items.db(name).deleteMany({ n: 1 });
        }
      }
      await polymongo.actions.closeAll();
      expect(polymongo.stats.general().totalConnectionsAcrossPools).toBe(0);
    },
    ROUNDS * 30_000,
  );
});

it('a close that the server does not answer gives its sockets up in time, and the pool opens again on a new client', async () => {
  const patient = new PolyMongoWrapper({ mongoURI: server.uri, handleSignals: false });
  const documents = wrapItems(patient);
  await documents.insertMany(numbered(3));
  const cursor = documents.find().cursor({ batchSize: 1 });
  await cursor.next(); // the goodbye has to kill it on the server
  const before = patient.pools.primary.client;
  server.stall(4_000);
  const startedAt = Date.now();
  await patient.pools.primary.close('test', 'now');
  expect(Date.now() - startedAt).toBeLessThan(3_500);
  expect(patient.pools.primary.stats.totalConnections).toBe(0);
  expect(await documents.countDocuments()).toBe(3);
  expect(patient.pools.primary.client).not.toBe(before);
  await patient.actions.closeAll();
});

/** What the driver does to its pools after a network error. */
function clearPools(client: mongo.MongoClient): void {
  const { topology } = client as unknown as {
    topology?: { s: { servers: Map<string, { pool: { clear(options: object): void; ready(): void } }> } };
  };
  for (const { pool } of topology?.s.servers.values() ?? []) {
    pool.clear({ interruptInUseConnections: true });
    setTimeout(() => pool.ready(), 20);
  }
}
