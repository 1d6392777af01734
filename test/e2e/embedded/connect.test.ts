import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';

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
