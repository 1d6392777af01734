import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import {
  ConnectionOwnershipError,
  ModelDatabaseError,
  PolyMongoWrapper,
  SessionMismatchError,
  TransactionUnsupportedError,
} from 'nestjs-polymongo';
import { uniqueName } from '../../support/database-names.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

interface Item {
  n: number;
}
type ItemModel = mongoose.Model<Item>;

const [main, own, shared, inURI] = ['main', 'own', 'shared', 'uri'].map((name) => uniqueName(`connection_${name}`)) as [
  string,
  string,
  string,
  string,
];
const ONE = [{ $match: { n: 1 } }];
let server: TestServer;
let instance: mongoose.Mongoose;
let polymongo: PolyMongoWrapper;
let items: ItemModel & { db: (name: string) => ItemModel };

beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => {
  const mongoURI = server.uri.replace(/\/(\?|$)/, `/${inURI}$1`);
  polymongo = new PolyMongoWrapper({
    mongoURI,
    defaultDB: main,
    driverOptions: { monitorCommands: true },
    dbSpecific: [{ dbName: own, mongoURI, options: {} }],
  });
  instance = new mongoose.Mongoose();
  items = polymongo.wrapModel(instance.model('Item', new instance.Schema({ n: Number }))) as never;
});
afterEach(async () => {
  for (const name of [main, own, shared, inURI]) await polymongo.pools.connectionOf(name).dropDatabase();
  await polymongo.actions.closeAll();
});
afterAll(() => server.stop());

const connectionOf = (name: string) => polymongo.pools.connectionOf(name) as unknown as mongoose.Connection;
/** MongoDB has the command since 8.0; an older server and the embedded one do not know it. */
async function bulkWrite(connection: mongoose.Connection, model: unknown = 'Item'): Promise<void> {
  try {
    await connection.bulkWrite([{ model, name: 'insertOne', document: { n: 1 } }] as never);
  } catch (error) {
    if ((error as { cause?: { code?: number } }).cause?.code !== 59) throw error;
  }
}
const written = async (name: string) => items.db(name).distinct('n');

describe.each([
  ['with a pool of its own', own],
  ['on the shared pool', shared],
])('a connection %s runs on its own database and holds a lease:', (_, name) => {
  const pool = () => polymongo.pools.poolOf(name);
  /** The leases that were held at most while `work` ran. */
  async function mostLeases(work: () => Promise<unknown>): Promise<number> {
    const { client } = pool();
    let most = 0;
    const note = () => (most = Math.max(most, polymongo.pools.database(name).leaseCount));
    client.on('connectionCheckedOut', note);
    await work();
    client.off('connectionCheckedOut', note);
    return most;
  }

  const CALLS: Record<string, (connection: mongoose.Connection) => Promise<unknown>> = {
    'aggregate()': (connection) => connection.aggregate([{ $documents: [{ n: 1 }] }]).exec(),
    'aggregate().cursor()': (connection) =>
      connection
        .aggregate([{ $documents: [{ n: 1 }] }])
        .cursor()
        .next(),
    'bulkWrite()': (connection) => bulkWrite(connection),
    'createCollection()': (connection) => connection.createCollection('more'),
    'dropCollection()': (connection) => connection.dropCollection('more'),
    'dropDatabase()': (connection) => connection.dropDatabase(),
    'listCollections()': (connection) => connection.listCollections(),
    'listDatabases()': (connection) => connection.listDatabases(),
    'collection()': (connection) => connection.collection('items').findOne(),
    'withSession()': (connection) => connection.withSession((session) => items.db(name).findOne().session(session)),
    'transaction()': (connection) =>
      connection.transaction((session) => items.db(name).findOne().session(session).exec()),
    'watch()': async (connection) => {
      const stream = connection.watch();
      await new Promise((resolve) => stream.once('resumeTokenChanged', resolve).on('change', () => {}));
      await stream.close();
    },
    'model()': (connection) => connection.model('Item').findOne().exec(),
    'useDb()': (connection) => connection.useDb(name).collection('items').findOne(),
  };

  it.each(Object.keys(CALLS))('%s', async (call) => {
    expect(await mostLeases(() => CALLS[call]!(connectionOf(name)))).toBeGreaterThan(0);
    expect(polymongo.pools.database(name).leaseCount).toBe(0);
    expect(await connectionOf(inURI).listCollections()).toEqual([]);
  });

  it('aggregate() reads its own documents', async () => {
    await items.db(name).create({ n: 1 });
    await items.db(inURI).create({ n: 1 }, { n: 1 });
    const pipeline = [{ $documents: [{}] }, { $lookup: { from: 'items', pipeline: ONE, as: 'items' } }];
    const [found] = (await connectionOf(name).aggregate(pipeline).exec()) as [{ items: Item[] }];
    expect(found.items).toHaveLength(1);
    const first = (await connectionOf(name).aggregate(pipeline).cursor().next()) as { items: Item[] };
    expect(first.items).toHaveLength(1);
    await connectionOf(inURI).dropDatabase();
  });
});

describe('a transaction around is joined', () => {
  const abort = new Error('abort');
  const aborted = (work: () => Promise<unknown>) =>
    expect(
      polymongo.transaction(
        async () => {
          await work();
          throw abort;
        },
        { db: shared },
      ),
    ).rejects.toBe(abort);

  it('by bulkWrite()', async () => {
    const sent: unknown[] = [];
    polymongo.pools.primary.client.on('commandStarted', ({ commandName, command }) => {
      if (commandName === 'bulkWrite') sent.push((command as { autocommit?: boolean }).autocommit);
    });
    await aborted(() => bulkWrite(connectionOf(shared)));
    expect(sent).toEqual([false]);
    expect(await written(shared)).toEqual([]);
  });

  it('by aggregate()', async () => {
    await items.db(shared).create({ n: 1 });
    await aborted(async () => {
      await items.db(shared).create({ n: 1 });
      const pipeline = [{ $documents: [{}] }, { $lookup: { from: 'items', pipeline: ONE, as: 'items' } }];
      const [found] = (await connectionOf(shared).aggregate(pipeline).exec()) as [{ items: Item[] }];
      expect(found.items).toHaveLength(2);
    });
  });

  it('by createCollection()', async () => {
    await aborted(() => connectionOf(shared).createCollection('more'));
    const collections = await connectionOf(shared).listCollections();
    expect(collections.map((collection) => collection.name)).not.toContain('more');
  });

  it.each(['dropDatabase', 'dropCollection', 'listCollections', 'listDatabases'] as const)(
    'or refused, as by %s(), which MongoDB has not in transactions',
    async (method) => {
      await polymongo.transaction(
        async () => {
          const call = (connectionOf(shared)[method] as (name: string) => Promise<unknown>)('items');
          await expect(call).rejects.toBeInstanceOf(TransactionUnsupportedError);
        },
        { db: shared },
      );
    },
  );

  it('unless it is on another pool', async () => {
    await polymongo.transaction(
      async () => {
        await expect(bulkWrite(connectionOf(own))).rejects.toBeInstanceOf(SessionMismatchError);
      },
      { db: shared },
    );
    expect(await written(own)).toEqual([]);
  });
});

describe("mongoose's own transactionAsyncLocalStorage", () => {
  it('counts from the moment it is set: an aborted transaction leaves nothing', async () => {
    await items.createCollection();
    instance.set('transactionAsyncLocalStorage', true);
    await expect(
      (items.db as unknown as mongoose.Connection).transaction(async () => {
        await items.create({ n: 1 });
        await items.insertMany([{ n: 2 }]);
        await new items({ n: 3 }).save();
        await items.bulkWrite([{ insertOne: { document: { n: 4 } } }]);
        throw new Error('abort');
      }),
    ).rejects.toThrow('abort');
    expect(await written(main)).toEqual([]);
  });

  it('keeps what a transaction commits', async () => {
    instance.set('transactionAsyncLocalStorage', true);
    await items.createCollection();
    await (items.db as unknown as mongoose.Connection).transaction(async () => {
      await items.create({ n: 1 });
    });
    expect(await written(main)).toEqual([1]);
  });

  it('is set, replaced and removed through the base of a connection, which is mongoose in all else, too', () => {
    type Base = mongoose.Mongoose & { transactionAsyncLocalStorage?: unknown; note?: string };
    const { base } = items.db as unknown as { base: Base };
    base.set('transactionAsyncLocalStorage', true);
    expect(instance).toHaveProperty('transactionAsyncLocalStorage.run');
    const mine = { getStore: () => ({ session: { inTransaction: () => true } }) };
    base.transactionAsyncLocalStorage = mine;
    base.note = 'kept';
    expect(instance).toMatchObject({ transactionAsyncLocalStorage: mine, note: 'kept' });
    expect(base).toHaveProperty('transactionAsyncLocalStorage.getStore');
    base.set('transactionAsyncLocalStorage', false);
    expect(instance).not.toHaveProperty('transactionAsyncLocalStorage');
  });
});

describe("a wrapped model's own connection", () => {
  it("has the options of its database's connection, wherever they are set", () => {
    const db = items.db as unknown as mongoose.Connection;
    const connection = connectionOf(main);
    db.set('maxTimeMS', 1234);
    expect([db.get('maxTimeMS'), connection.get('maxTimeMS')]).toEqual([1234, 1234]);
    connection.set('maxTimeMS', 5678);
    expect(db.get('maxTimeMS')).toBe(5678);
  });
});

describe('a connection refuses', () => {
  it.each(['openUri', 'setClient', 'createClient', 'close', 'destroy', 'doClose', 'removeDb'])(
    '%s(), as it belongs to its pool',
    async (method) => {
      const connection = connectionOf(shared) as unknown as Record<string, () => unknown>;
      await expect((async () => connection[method]!())()).rejects.toBeInstanceOf(ConnectionOwnershipError);
    },
  );

  it("a bulkWrite() to another database's model", async () => {
    await expect(bulkWrite(connectionOf(shared), items.db(own))).rejects.toBeInstanceOf(ModelDatabaseError);
    expect([await written(own), await written(shared)]).toEqual([[], []]);
  });
});
