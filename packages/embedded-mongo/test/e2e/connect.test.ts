import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { EmbeddedMongo } from 'embedded-mongo';

const { MongoClient } = mongoose.mongo;

describe('EmbeddedMongo', () => {
  let mongo: EmbeddedMongo;

  beforeEach(async () => {
    mongo = await EmbeddedMongo.start();
  });

  afterEach(() => mongo.stop());

  it('is a one-node replica set of MongoDB 7.0 to the driver', async () => {
    const client = await new MongoClient(mongo.uri).connect();
    const hello = await client.db('admin').command({ hello: 1 });
    expect(hello).toMatchObject({ setName: 'rs0', isWritablePrimary: true, hosts: [`127.0.0.1:${mongo.port}`], ok: 1 });
    expect((await client.db('admin').command({ buildInfo: 1 })).version).toMatch(/^7\.0\./);
    await client.close();
  });

  it('streams heartbeats to the driver', async () => {
    const client = new MongoClient(mongo.uri, { heartbeatFrequencyMS: 500 });
    const awaited = new Promise((resolve) => {
      client.on('serverHeartbeatSucceeded', (event) => event.awaited && resolve(event));
    });
    await client.connect();
    expect(await awaited).toMatchObject({ reply: { ok: 1 } });
    await client.close();
  });

  it('forgets the sessions and cursors of a client that has closed', async () => {
    const observer = await new MongoClient(mongo.uri).connect();
    const isIdle = async (): Promise<boolean> => {
      const { logicalSessionRecordCache, metrics } = await observer.db('admin').command({ serverStatus: 1 });
      const isObserverAlone = logicalSessionRecordCache.activeSessionsCount <= 1;
      return isObserverAlone && Number(metrics.cursor.open.total) === 0;
    };
    const client = await new MongoClient(mongo.uri).connect();
    const entries = client.db('shop').collection('entries');
    const stream = entries.watch();
    await stream.tryNext();
    await entries.insertMany([{}, {}, {}]);
    await client.withSession((session) =>
      session.withTransaction(() =>
        Promise.all([entries.insertOne({}, { session }), entries.find().batchSize(1).next()]),
      ),
    );
    expect(await isIdle()).toBe(false);
    await stream.close();
    await client.close();
    while (!(await isIdle())); // the driver waits for no answer to its endSessions
    await observer.close();
  });

  it('answers an unknown command with CommandNotFound', async () => {
    const client = await new MongoClient(mongo.uri).connect();
    await expect(client.db('admin').command({ frobnicate: 1 })).rejects.toMatchObject({
      code: 59,
      codeName: 'CommandNotFound',
      message: "no such command: 'frobnicate'",
    });
    await client.close();
  });
});
