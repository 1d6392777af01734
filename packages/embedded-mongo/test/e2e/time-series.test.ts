import { describe, expect, it } from '@jest/globals';
import type { mongo } from 'mongoose';
import { useOwnServer } from '../support/connected.js';

describe('a time series', () => {
  let client: mongo.MongoClient;
  let db: mongo.Db;
  let series: mongo.Collection;

  useOwnServer(async (connected) => {
    client = connected;
    db = client.db('weather');
    series = await db.createCollection('series', { timeseries: { timeField: 'at', metaField: 'where' } });
    await series.insertMany([{ at: new Date(1), where: { town: 'Ulm' }, t: 20 }, { at: new Date(2), where: { town: 'Bonn' }, t: 21 }]); // prettier-ignore
  });

  it('has an index on meta and time', async () => {
    expect(await series.indexes()).toEqual([{ v: 2, key: { where: 1, at: 1 }, name: 'where_1_at_1' }]);
  });

  it('takes updates of its meta field alone, of many measurements', async () => {
    const rename = { $set: { 'where.town': 'Köln' } };
    expect(await series.updateMany({ 'where.town': 'Bonn' }, rename)).toMatchObject({ modifiedCount: 1 });
    for (const refused of [
      series.updateOne({ 'where.town': 'Ulm' }, rename),
      series.updateMany({ t: 20 }, rename),
      series.updateMany({ 'where.town': 'Ulm' }, { $set: { t: 3 } }),
      series.updateMany({ 'where.town': 'Ulm' }, rename, { upsert: true }),
      series.findOneAndUpdate({ 'where.town': 'Ulm' }, rename),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: 72 });
    }
    expect(await series.deleteMany({ t: 21 })).toMatchObject({ deletedCount: 1 });
  });

  it('has no unique index and is not written in transactions', async () => {
    await expect(series.createIndex({ t: 1 }, { unique: true })).rejects.toMatchObject({ code: 72 });
    await series.createIndex({ t: 1 });
    await client.withSession(async (session) => {
      session.startTransaction();
      await expect(series.insertOne({ at: new Date(3) }, { session })).rejects.toMatchObject({ code: 263 });
    });
  });

  it('is not made of fields that cannot be', async () => {
    for (const timeseries of [
      { timeField: 'a.b' },
      { timeField: 'at', metaField: 'at' },
      { timeField: 'at', metaField: '_id' },
    ]) {
      await expect(db.createCollection('odd', { timeseries })).rejects.toMatchObject({ code: 72 });
    }
  });
});
