import { describe, expect, it } from '@jest/globals';
import type mongoose from 'mongoose';
import { useTestServer } from '../support/connected.js';

type Order = { _id: number; total?: number; tags?: string[] };

describe('CRUD through the driver', () => {
  let client: mongoose.mongo.MongoClient;
  let orders: mongoose.mongo.Collection<Order>;

  useTestServer('embedded_crud', async (connected) => {
    client = connected;
    orders = client.db('embedded_crud').collection<Order>('orders');
    await orders.insertMany([
      { _id: 1, total: 10, tags: ['a'] },
      { _id: 2, total: 20, tags: ['a', 'b'] },
      { _id: 3, total: 30 },
    ]);
  });

  it('finds by filter, in order, projected', async () => {
    const found = orders.find({ total: { $gte: 20 } }, { sort: { total: -1 }, projection: { total: 1, _id: 0 } });
    expect(await found.toArray()).toEqual([{ total: 30 }, { total: 20 }]);
  });

  it('keeps what an update of many did before it failed', async () => {
    const many = client.db('embedded_crud').collection<{ _id: number; n?: unknown }>('many');
    await many.insertMany([
      { _id: 1, n: 1 },
      { _id: 2, n: 'x' },
      { _id: 3, n: 1 },
    ]);
    await expect(many.updateMany({}, { $inc: { n: 1 } as never })).rejects.toMatchObject({ code: 14 });
    expect(await many.find().toArray()).toEqual([
      { _id: 1, n: 2 },
      { _id: 2, n: 'x' },
      { _id: 3, n: 1 },
    ]);
    await expect(
      client.withSession((session) =>
        session.withTransaction(() => many.updateMany({}, { $inc: { n: 1 } as never }, { session })),
      ),
    ).rejects.toMatchObject({ code: 14 });
    expect(await many.findOne({ _id: 1 })).toMatchObject({ n: 2 });
  });

  it("takes the positional $ from the last condition in MongoDB's order, a find from the last as it stands", async () => {
    const both = client.db('embedded_crud').collection<{ _id: number; a: number[]; b: { y: string }[] }>('both');
    await both.insertOne({ _id: 1, a: [1, 2], b: [{ y: 'x' }, { y: 'y' }] });
    const filter = { 'b.y': 'x', a: 2 };
    expect(await both.findOne(filter, { projection: { 'a.$': 1, _id: 0 } })).toEqual({ a: [2] });
    await both.updateOne(filter, { $set: { 'a.$': 9 } });
    expect(await both.findOne()).toMatchObject({ a: [9, 2] });
  });

  it('fetches what does not fit the first batch with getMore', async () => {
    expect(await orders.find({}, { batchSize: 1 }).toArray()).toHaveLength(3);
  });

  it('lets an upsert insert a field whose name begins with a dollar', async () => {
    const named = client.db('embedded_crud').collection<{ _id: number; $price?: number }>('named');
    await named.updateOne({ _id: 1 }, { $set: { $price: 2 } }, { upsert: true });
    expect(await named.findOne({ _id: 1 })).toEqual({ _id: 1, $price: 2 });
  });

  it('refuses what is wrong with the constants of a pipeline update only when there is a document to change', async () => {
    const change = [{ $set: { total: { $add: ['text', 1] } } }];
    await expect(orders.updateOne({ _id: 99 }, change)).resolves.toMatchObject({ matchedCount: 0 });
    await expect(orders.updateOne({ _id: 1 }, change)).rejects.toThrow('$add only supports numeric or date types');
  });

  it('refuses a second document of the same _id, and says which key', async () => {
    await expect(orders.insertOne({ _id: 1 })).rejects.toMatchObject({
      code: 11000,
      keyPattern: { _id: 1 },
      keyValue: { _id: 1 },
    });
  });

  it('updates the array element that the filter matched', async () => {
    await orders.updateOne({ tags: 'b' }, { $set: { 'tags.$': 'B' } });
    expect((await orders.findOne({ _id: 2 }))?.tags).toEqual(['a', 'B']);
  });

  it('inserts by upsert what is missing', async () => {
    const result = await orders.updateOne({ _id: 9 }, { $set: { total: 1 } }, { upsert: true });
    expect(result).toMatchObject({ matchedCount: 0, upsertedId: 9 });
    expect(await orders.deleteOne({ _id: 9 })).toMatchObject({ deletedCount: 1 });
  });

  it('aggregates', async () => {
    const [sum] = await orders.aggregate([{ $group: { _id: null, total: { $sum: '$total' } } }]).toArray();
    expect(sum).toEqual({ _id: null, total: 60 });
  });
});
