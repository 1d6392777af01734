import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose, { Schema } from 'mongoose';
import {
  PolyMongoWrapper,
  SessionMismatchError,
  TenantSwitchError,
  TransactionEndedError,
  TransactionPropagationError,
  TransactionUnsupportedError,
  type PolyModel,
} from 'nestjs-polymongo';
import { startTestServer, type TestServer } from '../../support/test-server.js';
import { deferred } from '../../support/deferred.js';

interface Account {
  _id: string;
  balance: number;
}

describe('transaction', () => {
  let server: TestServer;
  let polymongo: PolyMongoWrapper;
  let accounts: PolyModel<Account>;
  let run = 0;

  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());

  beforeEach(async () => {
    const db = `tx_${process.pid}_${++run}`;
    polymongo = new PolyMongoWrapper({
      mongoURI: server.uri,
      defaultDB: db,
      dbSpecific: [{ dbName: `${db}_own`, options: { maxConnections: 3 } }],
      handleSignals: false,
    });
    const schema = new Schema<Account>({ _id: String, balance: { type: Number, index: true } });
    accounts = polymongo.wrapModel(mongoose.createConnection().model<Account>('Account', schema)) as never;
    await accounts.create({ _id: 'a', balance: 100 });
  });
  afterEach(() => polymongo.actions.closeAll());

  const own = () => `${polymongo.options.defaultDB}_own`;
  const balance = async (id = 'a') => (await accounts.findById(id).lean())?.balance;

  it('commits what wrapped models did without being given the session, and gives back the value', async () => {
    const value = await polymongo.transaction(async (session) => {
      await accounts.create({ _id: 'b', balance: 1 });
      await accounts.updateOne({ _id: 'a' }, { $inc: { balance: -1 } });
      expect(await accounts.countDocuments()).toBe(2);
      const outside = await accounts.countDocuments({}, { session: null as never });
      expect(outside).toBe(1);
      expect(session.inTransaction()).toBe(true);
      return 'done';
    });
    expect(value).toBe('done');
    expect(await balance('b')).toBe(1);
    expect(await balance()).toBe(99);
  });

  it.each<[string, (options: { session: undefined }) => Promise<unknown>]>([
    ['create', (none) => accounts.create([{ _id: 'b', balance: 1 }], none)],
    ['save', (none) => new accounts({ _id: 'b', balance: 1 }).save(none)],
    ['insertMany', (none) => accounts.insertMany([{ _id: 'b', balance: 1 }], none)],
    ['updateOne', (none) => accounts.updateOne({ _id: 'a' }, { balance: 1 }, none)],
    ['a query’s session()', (none) => accounts.updateOne({ _id: 'a' }, { balance: 1 }).session(none.session as never)],
    ['bulkWrite', (none) => accounts.bulkWrite([{ deleteOne: { filter: { _id: 'a' } } }], none)],
    ['a document’s deleteOne', async (none) => (await accounts.findById('a'))!.deleteOne(none)],
    ['a collection', (none) => accounts.collection.deleteMany({}, none)],
  ])('a session that is handed on and was not given joins, too: %s', async (_, work) => {
    const error = new Error('no');
    const failed = polymongo.transaction(async () => {
      await work({ session: undefined });
      throw error;
    });
    await expect(failed).rejects.toBe(error);
    expect(await accounts.find().lean()).toMatchObject([{ _id: 'a', balance: 100 }]);
  });

  it('has no transaction of a connection inside, which would be committed though this one is aborted', async () => {
    const failed = polymongo.transaction(() =>
      (accounts.db as never as mongoose.Connection).transaction(() => accounts.create({ _id: 'b', balance: 1 })),
    );
    await expect(failed).rejects.toBeInstanceOf(TransactionUnsupportedError);
    expect(await accounts.countDocuments()).toBe(1);
  });

  it('aborts everything and rethrows the error unchanged', async () => {
    const error = new Error('no');
    const failed = polymongo.transaction(async () => {
      await accounts.create({ _id: 'b', balance: 1 });
      await accounts.db('default' + run).create({ _id: 'c', balance: 1 });
      await accounts.collection.insertOne({ _id: 'd', balance: 1 } as never);
      const document = (await accounts.findById('a'))!;
      document.balance = 0;
      await document.save();
      throw error;
    });
    await expect(failed).rejects.toBe(error);
    expect(await accounts.countDocuments()).toBe(1);
    expect(await accounts.db('default' + run).countDocuments()).toBe(0);
    expect(await balance()).toBe(100);
    expect(polymongo.pools.primary.leaseCount).toBe(0);
  });

  it.each([
    ['save', async () => void (await new accounts({ _id: 'x', balance: 1 }).save())],
    ['insertMany', async () => void (await accounts.insertMany([{ _id: 'x', balance: 1 }]))],
    ['bulkWrite', async () => void (await accounts.bulkWrite([{ insertOne: { document: { _id: 'x', balance: 1 } } }]))],
    ['bulkSave', async () => void (await accounts.bulkSave([new accounts({ _id: 'x', balance: 1 })]))],
    [
      'findOneAndUpdate',
      async () => void (await accounts.findOneAndUpdate({ _id: 'x' }, { balance: 1 }, { upsert: true })),
    ],
    ['a native call', async () => void (await accounts.collection.insertOne({ _id: 'x' } as never))],
    [
      'a deleted document',
      async () => {
        await (await accounts.findById('a'))!.deleteOne();
        await accounts.create({ _id: 'x', balance: 1 });
      },
    ],
  ])('takes %s along', async (_, work) => {
    await expect(
      polymongo.transaction(async () => {
        await work();
        expect(await accounts.exists({ _id: 'x' })).not.toBeNull();
        const read = [];
        for await (const { _id } of accounts.find().cursor()) read.push(_id);
        expect(read).toContain('x');
        expect(await accounts.aggregate([{ $match: { _id: 'x' } }])).toHaveLength(1);
        throw new Error('take it back');
      }),
    ).rejects.toThrow('take it back');
    expect(await accounts.exists({ _id: 'x' })).toBeNull();
    expect(await balance()).toBe(100);
  });

  it('runs operations that are started together one after the other', async () => {
    await polymongo.transaction(() =>
      Promise.all(Array.from({ length: 20 }, (_, i) => accounts.create({ _id: `p${i}`, balance: i }))),
    );
    expect(await accounts.countDocuments()).toBe(21);
  });

  it('lets nothing of a failed Promise.all escape into the database', async () => {
    const over = deferred();
    let late: Promise<unknown> | undefined;
    const failed = polymongo.transaction(() =>
      Promise.all([
        accounts.create({ _id: 'a', balance: 1 }), // there already
        (late = over.promise.then(() => accounts.create({ _id: 'late', balance: 1 }))),
      ]),
    );
    await expect(failed).rejects.toMatchObject({ code: 11000 });
    over.resolve();
    await expect(late).rejects.toThrow(TransactionEndedError);
    expect(await accounts.exists({ _id: 'late' })).toBeNull();
  });

  it('refuses a model of another pool and names both databases', async () => {
    await accounts.db(own()).create({ _id: 'o', balance: 1 });
    const error = await polymongo.transaction(async () => accounts.db(own()).find()).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(SessionMismatchError);
    expect(String(error)).toContain(polymongo.options.defaultDB);
    expect(String(error)).toContain(own());
    await expect(polymongo.transaction(() => accounts.db(own()).create({ _id: 'p' }))).rejects.toThrow(
      SessionMismatchError,
    );
    await expect(polymongo.transaction(() => accounts.db(own()).collection.find().toArray())).rejects.toThrow(
      SessionMismatchError,
    );
  });

  it('runs on the pool of its database with { db }', async () => {
    const separate = accounts.db(own());
    await expect(
      polymongo.transaction(
        async () => {
          await separate.create({ _id: 'o', balance: 1 });
          throw new Error('no');
        },
        { db: own() },
      ),
    ).rejects.toThrow('no');
    expect(await separate.countDocuments()).toBe(0);
    await polymongo.transaction(() => separate.create({ _id: 'o', balance: 1 }), { db: own() });
    expect(await separate.countDocuments()).toBe(1);
  });

  describe('inside another one', () => {
    it('joins by default, and its failure fails the outer even when caught', async () => {
      const failed = polymongo.transaction(async () => {
        await accounts.create({ _id: 'outer', balance: 1 });
        await polymongo
          .transaction(async () => {
            await accounts.create({ _id: 'inner', balance: 1 });
            throw new Error('inner failed');
          })
          .catch(() => {});
      });
      await expect(failed).rejects.toThrow('inner failed');
      expect(await accounts.countDocuments()).toBe(1);
    });

    it('is independent with requiresNew', async () => {
      const failed = polymongo.transaction(async () => {
        await accounts.create({ _id: 'outer', balance: 1 });
        await polymongo.transaction(() => accounts.create({ _id: 'inner', balance: 1 }), {
          propagation: 'requiresNew',
        });
        throw new Error('outer failed');
      });
      await expect(failed).rejects.toThrow('outer failed');
      expect(await balance('inner')).toBe(1);
      expect(await accounts.exists({ _id: 'outer' })).toBeNull();
    });

    it('joins with mandatory, is refused with never, and the other way round outside', async () => {
      const inside = polymongo.transaction(async (session) => {
        expect(await polymongo.transaction((inner) => inner === session, { propagation: 'mandatory' })).toBe(true);
        await polymongo.transaction(() => {}, { propagation: 'never' });
      });
      await expect(inside).rejects.toThrow(TransactionPropagationError);
      await expect(polymongo.transaction(() => {}, { propagation: 'mandatory' })).rejects.toThrow(
        TransactionPropagationError,
      );
      expect(await polymongo.transaction(() => 'plain', { propagation: 'never' })).toBe('plain');
    });

    it('on another pool is refused with both names', async () => {
      const failed = polymongo.transaction(() => polymongo.transaction(() => {}, { db: own() }));
      await expect(failed).rejects.toThrow(new RegExp(`${polymongo.options.defaultDB},.*${own()}`));
    });
  });

  it('makes collections and indexes outside: before it, or by beginning again for a database it did not know', async () => {
    let runs = 0;
    const other = accounts.db(`${polymongo.options.defaultDB}_other`);
    await polymongo.transaction(async () => {
      runs++;
      await accounts.create({ _id: 'b', balance: 1 });
      await other.create({ _id: 'b', balance: 1 });
    });
    expect(runs).toBe(2);
    expect(await other.countDocuments()).toBe(1);
    expect((await other.collection.indexes()).map(({ name }) => name)).toEqual(['_id_', 'balance_1']);
  });

  it('builds no index inside a transaction that the caller manages himself', async () => {
    const other = accounts.db(`${polymongo.options.defaultDB}_other`);
    const session = await accounts.db.startSession();
    await session.withTransaction(() => other.create([{ _id: 'b', balance: 1 }], { session }));
    await session.endSession();
    expect(await other.countDocuments()).toBe(1);
    expect(await other.collection.indexes()).toHaveLength(1);
    await other.create({ _id: 'c', balance: 1 });
    expect(await other.collection.indexes()).toHaveLength(2);
    expect(polymongo.pools.primary.leaseCount).toBe(0);
  });

  it('stays with its tenant', async () => {
    const { tenantContext } = polymongo;
    await tenantContext.run('acme', () =>
      polymongo.transaction(async () => {
        await accounts.tenant().create({ _id: 'x', balance: 1 });
        tenantContext.run('acme', () => {});
        expect(() => tenantContext.run('globex', () => {})).toThrow(TenantSwitchError);
      }),
    );
    await polymongo.transaction(async () => tenantContext.run('globex', () => accounts.tenant().findOne()));
  });

  it('leaves documents as they were when it fails', async () => {
    const fresh = new accounts({ _id: 'fresh', balance: 1 });
    const read = (await accounts.findById('a'))!;
    await expect(
      polymongo.transaction(async () => {
        await fresh.save();
        read.balance = 5;
        await read.save();
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(fresh.isNew).toBe(true);
    await Promise.all([fresh.save(), read.save()]);
    expect(await balance('fresh')).toBe(1);
    expect(await balance()).toBe(5);
  });
});
