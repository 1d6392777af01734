import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { EmbeddedMongo } from 'embedded-mongo';

const { MongoClient } = mongoose.mongo;

describe('the README on faults', () => {
  let mongo: EmbeddedMongo;
  let client: mongoose.mongo.MongoClient;

  beforeEach(async () => {
    mongo = await EmbeddedMongo.start();
    client = await new MongoClient(mongo.uri).connect();
  });

  afterEach(async () => {
    await client.close();
    await mongo.stop();
  });

  // #region a fail point
  it('retries a write whose connection broke, and writes once', async () => {
    const orders = client.db('shop').collection('orders');
    await client.db('admin').command({
      configureFailPoint: 'failCommand',
      mode: { times: 1 }, // or 'alwaysOn', 'off', { skip: n }, { activationProbability: p }
      data: { failCommands: ['insert'], closeConnection: true },
    });
    await orders.insertOne({ total: 12 });
    expect(await orders.countDocuments()).toBe(1);
  });
  // #endregion

  // #region the handle
  it('goes on after a restart, a broken network and a silent server', async () => {
    const orders = client.db('shop').collection('orders');
    await orders.insertOne({ total: 12 });

    await mongo.restart(); // connections, cursors and open transactions are lost, data and port are kept
    expect(await orders.countDocuments()).toBe(1);

    mongo.dropConnections(); // every connection is closed, the server goes on
    expect(await orders.countDocuments()).toBe(1);

    mongo.stall(50); // no answer for 50 ms, then all of them
    expect(await orders.countDocuments()).toBe(1);
  });
  // #endregion
});
