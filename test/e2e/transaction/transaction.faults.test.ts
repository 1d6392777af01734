import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose, { Schema, type Model } from 'mongoose';
import { PolyMongoWrapper, type PolyModel } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';

interface Account {
  _id: number;
  balance: number;
}

const TRANSIENT = 'TransientTransactionError';
const UNKNOWN = 'UnknownTransactionCommitResult';
const TOTAL = 200;

/**
 * The error codes that the transactions specifications treat specially, and some they do not, with the labels a server
 * sends, and what has to come of them.
 * @see https://github.com/mongodb/specifications/blob/master/source/transactions/transactions.md
 */
const FAULTS: [at: string, what: string, data: object, outcome: 'committed' | 'aborted'][] = [
  ...['update', 'insert'].flatMap((command): typeof FAULTS => [
    [command, 'WriteConflict', { errorCode: 112, errorLabels: [TRANSIENT] }, 'committed'],
    [command, 'NoSuchTransaction', { errorCode: 251, errorLabels: [TRANSIENT] }, 'committed'],
    [command, 'LockTimeout', { errorCode: 24, errorLabels: [TRANSIENT] }, 'committed'],
    [command, 'SnapshotUnavailable', { errorCode: 246, errorLabels: [TRANSIENT] }, 'committed'],
    [command, 'NotWritablePrimary', { errorCode: 10107, errorLabels: [TRANSIENT] }, 'committed'],
    [command, 'a dropped connection', { closeConnection: true }, 'committed'],
    [command, 'Unauthorized', { errorCode: 13 }, 'aborted'],
    [command, 'BadValue', { errorCode: 2 }, 'aborted'],
    [command, 'DuplicateKey', { errorCode: 11000 }, 'aborted'],
    [command, 'OperationNotSupportedInTransaction', { errorCode: 263 }, 'aborted'],
  ]),
  ...[6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436].map((errorCode): (typeof FAULTS)[number] => [
    'commitTransaction',
    `retryable code ${errorCode}`,
    { errorCode, errorLabels: ['RetryableWriteError'] },
    'committed',
  ]),
  ['commitTransaction', 'a dropped connection', { closeConnection: true }, 'committed'],
  ['commitTransaction', 'an unknown result', { errorCode: 64, errorLabels: [UNKNOWN] }, 'committed'],
  ['commitTransaction', 'NoSuchTransaction', { errorCode: 251, errorLabels: [TRANSIENT] }, 'committed'],
  ['commitTransaction', 'WriteConflict', { errorCode: 112, errorLabels: [TRANSIENT] }, 'committed'],
  ['commitTransaction', 'Unauthorized', { errorCode: 13 }, 'aborted'],
  ['commitTransaction', 'MaxTimeMSExpired', { errorCode: 50, errorLabels: [UNKNOWN] }, 'aborted'],
  ['abortTransaction', 'an error nobody asked about', { errorCode: 13 }, 'aborted'],
  ['abortTransaction', 'a dropped connection', { closeConnection: true }, 'aborted'],
];

describe('transaction under faults', () => {
  let mongo: EmbeddedMongo;
  let polymongo: PolyMongoWrapper;
  let accounts: PolyModel<Account>;
  let run = 0;

  beforeAll(async () => {
    mongo = await EmbeddedMongo.start();
  });
  afterAll(() => mongo.stop());

  beforeEach(async () => {
    polymongo = new PolyMongoWrapper({ mongoURI: mongo.uri, defaultDB: `faults_${++run}`, handleSignals: false });
    const schema = new Schema<Account>({ _id: Number, balance: Number });
    accounts = polymongo.wrapModel(mongoose.createConnection().model('Account', schema) as unknown as Model<Account>);
    await accounts.create([
      { _id: 1, balance: TOTAL / 2 },
      { _id: 2, balance: TOTAL / 2 },
    ]);
  });
  afterEach(() => polymongo.actions.closeAll());

  const failPoint = (mode: unknown, data?: object) =>
    accounts.db
      .getClient()
      .db('admin')
      .command({ configureFailPoint: 'failCommand', mode, ...(data && { data }) });

  const transfer = async (from: number, to: number, amount: number) => {
    const source = (await accounts.findById(from))!;
    source.balance -= amount;
    await source.save();
    await accounts.updateOne({ _id: to }, { $inc: { balance: amount } });
    await accounts.create({ _id: 3, balance: 0 });
  };
  const balances = async () => (await accounts.find().sort({ _id: 1 }).lean()).map(({ balance }) => balance);

  it.each(FAULTS)('at %s: %s leaves all or nothing', async (command, _, data, outcome) => {
    const fails = command === 'abortTransaction';
    await failPoint({ times: 1 }, { failCommands: [command], ...data });
    const result = await polymongo
      .transaction(async () => {
        await transfer(1, 2, 10);
        if (fails) throw new Error('abort');
      })
      .then(
        () => 'committed',
        () => 'aborted',
      );
    await failPoint('off');
    expect(result).toBe(outcome);
    expect(await balances()).toEqual(outcome === 'committed' ? [90, 110, 0] : [100, 100]);
    expect(polymongo.pools.primary.leaseCount).toBe(0);
  });

  it('writes a document again that an attempt had saved whose commit failed', async () => {
    await failPoint({ times: 1 }, { failCommands: ['commitTransaction'], errorCode: 251, errorLabels: [TRANSIENT] });
    const fresh = new accounts({ _id: 7, balance: 1 });
    const read = (await accounts.findById(1))!;
    read.balance = 55;
    await polymongo.transaction(async () => {
      await fresh.save();
      await read.save();
    });
    expect(await balances()).toEqual([55, 100, 1]);
  });

  it('returns its sessions, also when it fails', async () => {
    const client = accounts.db.getClient() as unknown as { s: { activeSessions: Set<unknown> } };
    for (let i = 0; i < 5; i++) {
      await polymongo.transaction(() => transfer(1, 2, 1)).catch(() => {});
      await polymongo.transaction(() => Promise.reject(new Error('no'))).catch(() => {});
    }
    expect(client.s.activeSessions.size).toBe(0);
  });

  it('keeps the total over 200 concurrent conflicting transfers', async () => {
    await polymongo.transaction(() => accounts.insertMany([3, 4, 5].map((_id) => ({ _id, balance: 0 }))));
    const pick = (i: number) => 1 + (i % 5);
    await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        polymongo.transaction(async () => {
          await accounts.updateOne({ _id: pick(i) }, { $inc: { balance: -1 } });
          await accounts.updateOne({ _id: pick(i * 3 + 1) }, { $inc: { balance: 1 } });
          await accounts.create({ _id: 100 + i, balance: 0 });
        }),
      ),
    );
    expect((await balances()).reduce((sum, balance) => sum + balance, 0)).toBe(TOTAL);
    expect(await accounts.countDocuments({ _id: { $gte: 100 } })).toBe(200);
    expect(polymongo.pools.primary.leaseCount).toBe(0);
  }, 120_000);
});
