import { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type mongoose from 'mongoose';
import { PolyMongoWrapper } from '../../../lib/polymongo.wrapper.js';
import type { TestServer } from '../../support/test-server.js';
import { BulkFixture, everyType } from './bulk.fixture.js';

let fixture: BulkFixture;
let shop: string;

beforeAll(async () => {
  fixture = await BulkFixture.start();
  shop = fixture.name();
  const { db } = await fixture.connectionOf(shop);
  await fixture.insert(shop, 'types', [everyType()]);
  await fixture.insert(
    shop,
    'orders',
    Array.from({ length: 1200 }, (_, i) => ({ _id: i, text: 'x'.repeat(100) })),
  );
  await db!.collection('orders').createIndex({ text: 1 }, { name: 'text_1', sparse: true });
  await db!.createCollection('capped', { capped: true, size: 4096 });
  await fixture.insert(shop, 'capped', [{ _id: 1 }, { _id: 2 }]);
  await db!.createCollection('checked', { validator: { n: { $gt: 5 } } });
  await db!.createCollection('few', { viewOn: 'orders', pipeline: [{ $limit: 2 }] });
});
afterAll(() => fixture.stop());

/** Bytes that came in from the server while `work` ran. */
async function receivedDuring(work: () => Promise<unknown>): Promise<number> {
  const { port } = new URL(fixture.server.uri.replace(/^mongodb/, 'http'));
  const prototype = Socket.prototype as { emit(this: Socket, event: string, ...args: unknown[]): boolean };
  const { emit } = prototype;
  let bytes = 0;
  prototype.emit = function (event, ...args) {
    if (event === 'data' && String(this.remotePort) === port) bytes += (args[0] as Buffer).length;
    return emit.call(this, event, ...args);
  };
  try {
    await work();
  } finally {
    prototype.emit = emit;
  }
  return bytes;
}

describe('copyDatabase', () => {
  test('leaves nothing behind of how it finds out whether there is one cluster or two, and copies no such thing', async () => {
    const [source, copy] = [fixture.name(), fixture.name()];
    await fixture.insert(source, 'orders', [{ _id: 1 }]);
    await fixture.insert(source, 'polymongo_nonce.of-one-that-was-killed', [{ _id: 1 }]);
    await fixture.bulk.copyDatabase(source, copy);
    const { db } = await fixture.connectionOf(copy);
    expect((await db!.listCollections().toArray()).map(({ name }) => name)).toEqual(['orders']);
  });

  test('copies documents, options, indexes and views byte for byte, on one cluster without them leaving the server', async () => {
    const copy = fixture.name();
    const received = await receivedDuring(async () => {
      const summary = await fixture.bulk.copyDatabase(shop, copy);
      expect(summary.collections.find(({ name }) => name === 'orders')).toMatchObject({
        documents: 1200,
        indexes: 2,
        skipped: 0,
      });
      expect(summary.failures).toEqual([]);
    });
    expect(received).toBeGreaterThan(0);
    expect(received).toBeLessThan(50_000); // the documents have 140,000 bytes
    expect(await fixture.structureOf(copy)).toEqual(await fixture.structureOf(shop));
    for (const collection of ['types', 'orders', 'capped']) {
      expect(await fixture.bytesOf(copy, collection)).toEqual(await fixture.bytesOf(shop, collection));
    }
  });

  test('leaves documents that are there as they are, and counts them', async () => {
    const copy = fixture.name();
    await fixture.insert(copy, 'orders', [{ _id: 5, mine: true }]);
    for (const transform of [undefined, (document: object) => document]) {
      const summary = await fixture.bulk.copyDatabase(shop, copy, {
        include: ['orders'],
        ...(transform && { transform }),
      });
      const { documents, skipped, bytes } = summary.collections[0]!;
      expect(bytes > 0).toBe(documents > 0);
      expect([documents, skipped]).toEqual(transform ? [0, 1200] : [1199, 1]);
    }
    expect(await (await fixture.connectionOf(copy)).collection('orders').findOne({ _id: 5 } as object)).toEqual({
      _id: 5,
      mine: true,
    });
  });

  test.each([
    ['in the server', {}],
    ['through the pools', { transform: (document: object) => document }],
  ])('keeps what an application writes to the target meanwhile (%s)', async (_, options) => {
    const copy = fixture.name();
    const { db } = await fixture.connectionOf(copy);
    let written = false;
    const write = async () => {
      if (written) return;
      written = true;
      await db!.collection('orders').insertMany([{ _id: 'own' }, { _id: 7, mine: true }] as never[]);
    };
    // The moment before the documents are read, when all that is looked at before has been looked at.
    const database = fixture.wrapper.pools.database(shop);
    const { connection, native } = database;
    const watched = (make: (name: string) => mongoose.mongo.Collection) => (name: string) => {
      const collection = make(name);
      const { aggregate, find } = collection;
      collection.aggregate = ((...args: Parameters<typeof aggregate>) => {
        const cursor = aggregate.apply(collection, args);
        if (!('$match' in args[0]![0]!)) return cursor;
        const { toArray } = cursor;
        cursor.toArray = async () => (await write(), toArray.call(cursor));
        return cursor;
      }) as typeof aggregate;
      collection.find = ((...args: Parameters<typeof find>) => {
        const cursor = find.apply(collection, args);
        const { hasNext } = cursor;
        cursor.hasNext = async () => (await write(), hasNext.call(cursor));
        return cursor;
      }) as typeof find;
      return collection;
    };
    const original = connection.collection.bind(connection) as (name: string) => mongoose.mongo.Collection;
    Object.assign(connection, { collection: watched(original) });
    const watchedDb = Object.assign(Object.create(native) as typeof native, {
      collection: watched((name) => native.collection(name)),
    });
    Object.defineProperty(database, 'native', { value: watchedDb, configurable: true });
    try {
      await fixture.bulk.copyDatabase(shop, copy, { include: ['orders'], ...options });
    } finally {
      delete (connection as { collection?: unknown }).collection;
      delete (database as { native?: unknown }).native;
    }
    expect(written).toBe(true);
    const orders = db!.collection('orders');
    expect(
      await orders
        .find({ _id: { $in: ['own', 7] } } as never)
        .sort({ _id: 1 })
        .toArray(),
    ).toEqual([{ _id: 7, mine: true }, { _id: 'own' }]);
    expect(await orders.countDocuments({})).toBe(1201);
  });

  test('names a document that a unique index of the target refuses, or skips it', async () => {
    const copy = fixture.name();
    const { db } = await fixture.connectionOf(copy);
    await db!.collection('orders').createIndex({ text: 1 }, { unique: true });
    await expect(fixture.bulk.copyDatabase(shop, copy, { include: ['orders'] })).rejects.toMatchObject({
      name: 'BulkTaskError',
      collection: 'orders',
    });
    const summary = await fixture.bulk.copyDatabase(shop, copy, { include: ['orders'], onError: 'skip' });
    expect(summary.collections[0]).toMatchObject({ documents: 0, skipped: 1200 });
    expect(summary.failures).toHaveLength(1199 + 1); // the documents, and the index that is there with another option
  });

  test('refuses to copy a database onto itself', async () => {
    await expect(fixture.bulk.copyDatabase(shop, shop)).rejects.toThrow('onto itself');
  });

  test('counts and writes nothing on dryRun', async () => {
    const copy = fixture.name();
    const summary = await fixture.bulk.copyDatabase(shop, copy, { dryRun: true });
    expect(summary.collections.find(({ name }) => name === 'orders')).toMatchObject({ documents: 1200, indexes: 2 });
    expect(await fixture.structureOf(copy)).toEqual([]);
  });
});

describe('copyDatabase to another server', () => {
  let other: TestServer;
  let target: PolyMongoWrapper;
  beforeAll(async () => {
    const { EmbeddedMongo } = await import('../../../lib/testing/index.js');
    const mongo = await EmbeddedMongo.start({ replSet: 'other' });
    other = { uri: mongo.uri, stop: () => mongo.stop() };
    target = new PolyMongoWrapper({ mongoURI: other.uri, handleSignals: false });
  });
  afterAll(async () => {
    await target.actions.closeAll();
    await other.stop();
  });

  test('sends raw BSON from pool to pool, under the same name too', async () => {
    const summary = await fixture.bulk.copyDatabase(shop, shop, { targetPools: target.pools });
    expect(summary.collections.find(({ name }) => name === 'orders')).toMatchObject({
      documents: 1200,
      indexes: 2,
      skipped: 0,
    });
    const copied = await target.pools.database(shop).connection.collection('types').find({}, { raw: true }).toArray();
    expect(copied.map((document) => (document as unknown as Buffer).toString('hex'))).toEqual(
      await fixture.bytesOf(shop, 'types'),
    );
    const again = await fixture.bulk.copyDatabase(shop, shop, { targetPools: target.pools });
    expect(again.collections.find(({ name }) => name === 'orders')).toMatchObject({ documents: 0, skipped: 1200 });
  });
});
