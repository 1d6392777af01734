import { beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { useTestServer } from '../support/connected.js';

type Account = { _id: number; balance: number };

describe('transactions through the driver', () => {
  let client: mongoose.mongo.MongoClient;
  let accounts: mongoose.mongo.Collection<Account>;

  useTestServer('embedded_transactions', (connected) => {
    client = connected;
    accounts = client.db('embedded_transactions').collection('accounts');
  });

  beforeEach(async () => {
    await accounts.deleteMany({});
    await accounts.insertOne({ _id: 1, balance: 10 });
  });

  it('shows its writes to itself at once, to others after the commit', async () => {
    await client.withSession(async (session) => {
      session.startTransaction();
      await accounts.insertOne({ _id: 2, balance: 0 }, { session });
      expect(await accounts.findOne({ _id: 2 }, { session })).not.toBeNull();
      expect(await accounts.findOne({ _id: 2 })).toBeNull();
      await session.commitTransaction();
      expect(await accounts.findOne({ _id: 2 })).not.toBeNull();
    });
  });

  it('reads from its snapshot whatever is written meanwhile', async () => {
    await client.withSession(async (session) => {
      session.startTransaction({ readConcern: { level: 'snapshot' } });
      await accounts.findOne({ _id: 1 }, { session });
      await accounts.updateOne({ _id: 1 }, { $set: { balance: 99 } });
      expect((await accounts.findOne({ _id: 1 }, { session }))?.balance).toBe(10);
      await session.abortTransaction();
    });
  });

  it('fails the second writer of a document with a transient WriteConflict', async () => {
    await client.withSession((first) =>
      client.withSession(async (second) => {
        first.startTransaction();
        second.startTransaction();
        await accounts.updateOne({ _id: 1 }, { $inc: { balance: 1 } }, { session: first });
        const conflict = await accounts
          .updateOne({ _id: 1 }, { $inc: { balance: 1 } }, { session: second })
          .catch((error: mongoose.mongo.MongoServerError) => error);
        expect(conflict).toMatchObject({ code: 112, codeName: 'WriteConflict' });
        expect((conflict as mongoose.mongo.MongoServerError).hasErrorLabel('TransientTransactionError')).toBe(true);
        await first.commitTransaction();
        await second.abortTransaction();
      }),
    );
  });

  it('lets a write outside wait for the transaction that is in its way', async () => {
    await client.withSession(async (session) => {
      session.startTransaction();
      await accounts.updateOne({ _id: 1 }, { $inc: { balance: 1 } }, { session });
      const outside = accounts.updateOne({ _id: 1 }, { $inc: { balance: 100 } });
      await session.commitTransaction();
      await outside;
      expect((await accounts.findOne({ _id: 1 }))?.balance).toBe(111);
    });
  });

  it('is over after an error: the next statement has NoSuchTransaction', async () => {
    await client.withSession(async (session) => {
      session.startTransaction();
      await expect(accounts.insertOne({ _id: 1, balance: 0 }, { session })).rejects.toMatchObject({ code: 11000 });
      await expect(accounts.findOne({}, { session })).rejects.toMatchObject({
        code: 251,
        codeName: 'NoSuchTransaction',
      });
      await session.abortTransaction();
    });
  });

  it('refuses commands that have no place in one', async () => {
    await client.withSession(async (session) => {
      session.startTransaction();
      await expect(
        client.db('embedded_transactions').command({ count: 'accounts' }, { session }),
      ).rejects.toMatchObject({
        code: 263,
        codeName: 'OperationNotSupportedInTransaction',
      });
      await session.abortTransaction();
    });
  });

  it('refuses to create a collection there is, or an index on one', async () => {
    const db = client.db('embedded_transactions');
    await db.createCollection('accounts'); // no error outside of a transaction
    await client.withSession(async (session) => {
      session.startTransaction();
      await expect(db.createCollection('accounts', { session })).rejects.toMatchObject({ code: 48 });
      await session.abortTransaction();
      session.startTransaction();
      await expect(accounts.createIndex({ balance: 1 }, { session })).rejects.toMatchObject({ code: 263 });
      await session.abortTransaction();
    });
  });

  it('does not keep others from creating an index that is there', async () => {
    await accounts.createIndex({ balance: -1 });
    await client.withSession(async (session) => {
      session.startTransaction();
      await accounts.insertOne({ _id: 2, balance: 0 }, { session });
      await expect(accounts.createIndex({ balance: -1 }, { maxTimeMS: 1000 })).resolves.toBe('balance_-1');
      await session.abortTransaction();
    });
  });

  it('lets an index be created on a new collection only while that is empty', async () => {
    await client.withSession(async (session) => {
      session.startTransaction();
      const created = client.db('embedded_transactions').collection('created');
      await created.createIndex({ a: 1 }, { session });
      await created.insertOne({ a: 1 }, { session });
      await expect(created.createIndex({ b: 1 }, { session })).rejects.toMatchObject({ code: 263 });
    });
  });

  it.each(['commitTransaction', 'abortTransaction', 'killCursors'])('cannot begin with %s', async (name) => {
    await client.withSession(async (session) => {
      const first = {
        lsid: session.id,
        txnNumber: mongoose.mongo.Long.fromNumber(1),
        startTransaction: true,
        autocommit: false,
      };
      const rest = name === 'killCursors' ? { cursors: [mongoose.mongo.Long.ONE] } : {};
      const db = client.db(name === 'killCursors' ? 'embedded_transactions' : 'admin');
      await expect(
        db.command({ [name]: name === 'killCursors' ? 'accounts' : 1, ...rest, ...first }),
      ).rejects.toMatchObject({
        code: 263,
      });
    });
  });

  it('is told of by currentOp while none of its commands runs', async () => {
    await client.withSession(async (session) => {
      session.startTransaction();
      await accounts.insertOne({ _id: 3, balance: 0 }, { session });
      const { inprog } = await client.db('admin').command({ currentOp: 1 });
      expect(inprog).toContainEqual(
        expect.objectContaining({ type: 'idleSession', lsid: expect.objectContaining(session.id!) }),
      );
      await session.abortTransaction();
    });
  });

  it('may be committed again', async () => {
    await client.withSession(async (session) => {
      session.startTransaction();
      await accounts.updateOne({ _id: 1 }, { $inc: { balance: 5 } }, { session });
      await session.commitTransaction();
      await session.commitTransaction();
      expect((await accounts.findOne({ _id: 1 }))?.balance).toBe(15);
    });
  });
});
