import { describe, expect, it } from '@jest/globals';
import mongoose, { type mongo } from 'mongoose';
import { useOwnServer } from '../support/connected.js';

describe('server-side JavaScript', () => {
  let client: mongo.MongoClient;
  let orders: mongo.Collection<{ _id: number; customer: string; price: number; items?: string[] }>;

  useOwnServer(async (connected) => {
    client = connected;
    orders = client.db('scripts').collection('orders');
    await orders.insertMany([
      { _id: 1, customer: 'ada', price: 10, items: ['pen'] },
      { _id: 2, customer: 'bob', price: 25 },
      { _id: 3, customer: 'ada', price: 30, items: ['ink', 'pen'] },
    ]);
  });

  const ids = async (filter: object): Promise<number[]> => (await orders.find(filter).toArray()).map(({ _id }) => _id);
  const errorOf = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

  it('$where takes an expression, statements or a function of the document', async () => {
    expect(await ids({ $where: 'this.price > 20' })).toEqual([2, 3]);
    expect(await ids({ customer: 'ada', $where: 'return obj.items.length === 2;' })).toEqual([3]);
    expect(await ids({ $where: 'function() { return Array.isArray(this.items) && this.items[0] === "pen" }' })).toEqual(
      [1],
    );
    expect((await orders.updateMany({ $where: 'this._id === 2' }, { $set: { price: 26 } })).modifiedCount).toBe(1);
  });

  it('functions may end in semicolons and make dates as the shell does', async () => {
    expect(
      await ids({ $where: 'function() { return this._id === 2 && ISODate("2020-01-01").getTime() > 0; } ; ' }),
    ).toEqual([2]);
  });

  it('$function takes its arguments from any expression that gives an array', async () => {
    const call = { body: 'function(first) { return first }', args: '$items', lang: 'js' };
    const first = orders.aggregate([{ $match: { _id: 3 } }, { $project: { first: { $function: call } } }]);
    expect(await first.toArray()).toEqual([{ _id: 3, first: 'ink' }]);
    const wrong = orders.aggregate([{ $project: { first: { $function: { ...call, args: '$price' } } } }]);
    expect(await errorOf(wrong.toArray())).toMatchObject({ code: 31266 });
  });

  it('$where may sleep, but has no scope', async () => {
    expect(await ids({ _id: 1, $where: 'sleep(20) || true' })).toEqual([1]);
    const scoped = new mongoose.mongo.Code('this.price > least', { least: 20 });
    expect(await errorOf(ids({ $where: scoped }))).toMatchObject({ code: 2 });
  });

  it('$where that throws, loops or stands where it may not is an error', async () => {
    expect(await errorOf(ids({ $where: 'nothing.there' }))).toMatchObject({
      code: 139,
      codeName: 'JSInterpreterFailure',
      message: expect.stringContaining('ReferenceError: nothing is not defined'),
    });
    expect(await errorOf(ids({ $where: 'this is no script' }))).toMatchObject({ code: 139 });
    expect(await errorOf(orders.aggregate([{ $match: { $where: 'true' } }]).toArray())).toMatchObject({
      code: 2,
      message: '$where is not allowed in this context',
    });
    expect(await ids({ $where: 'typeof process === "undefined" && typeof require === "undefined"' })).toHaveLength(3);
  });

  it('$function computes from arguments, and $accumulator keeps a state for each group', async () => {
    const body = 'function(name, items) { return { name: name.toUpperCase(), last: items.at(-1), seen: new Date(0) } }';
    const args = ['$customer', { $ifNull: ['$items', []] }];
    const computed = await orders
      .aggregate([{ $sort: { _id: 1 } }, { $project: { at: { $function: { body, args, lang: 'js' } } } }])
      .toArray();
    expect(computed[0]).toEqual({ _id: 1, at: { name: 'ADA', last: 'pen', seen: new Date(0) } });
    const average = {
      $accumulator: {
        init: (() => ({ count: 0, sum: 0 })).toString(),
        accumulate: ((state: { count: number; sum: number }, price: number) => {
          return { count: state.count + 1, sum: state.sum + price };
        }).toString(),
        accumulateArgs: ['$price'],
        merge: '(a, b) => ({ count: a.count + b.count, sum: a.sum + b.sum })',
        finalize: '(state) => state.sum / state.count',
        lang: 'js',
      },
    };
    const grouped = await orders
      .aggregate([{ $group: { _id: '$customer', average } }, { $sort: { _id: 1 } }])
      .toArray();
    expect(grouped).toEqual([
      { _id: 'ada', average: 20 },
      { _id: 'bob', average: 26 },
    ]);
  });

  it('mapReduce answers inline or writes a collection', async () => {
    const command = {
      mapReduce: 'orders',
      map: 'function() { emit(this.customer, this.price) }',
      reduce: '(customer, prices) => Array.sum(prices)',
      query: { price: { $gt: 5 } },
      finalize: '(customer, total) => total + extra',
      scope: { extra: 1 },
    };
    const inline = await client.db('scripts').command({ ...command, out: { inline: 1 } });
    expect(inline['results']).toEqual([
      { _id: 'ada', value: 41 },
      { _id: 'bob', value: 27 },
    ]);
    await client.db('scripts').command({ ...command, out: 'totals' });
    expect(await client.db('scripts').collection('totals').find().sort({ _id: 1 }).toArray()).toEqual(
      inline['results'],
    );
    const reduced = { reduce: 'totals' };
    await client.db('scripts').command({ ...command, finalize: undefined, out: reduced });
    expect(await client.db('scripts').collection('totals').find().sort({ _id: 1 }).toArray()).toEqual([
      { _id: 'ada', value: 81 },
      { _id: 'bob', value: 53 },
    ]);
  });
});
