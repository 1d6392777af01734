import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect, createConnection } from 'node:net';
import { once } from 'node:events';
import mongoose from 'mongoose';
import { EmbeddedMongo } from 'embedded-mongo';

const { MongoClient } = mongoose.mongo;

describe('faults of EmbeddedMongo', () => {
  let mongo: EmbeddedMongo;
  let client: mongoose.mongo.MongoClient;

  beforeEach(async () => {
    mongo = await EmbeddedMongo.start();
    client = await new MongoClient(mongo.uri, { serverSelectionTimeoutMS: 5000 }).connect();
  });

  afterEach(async () => {
    await client.close();
    await mongo.stop();
  });

  const failCommand = (mode: object | string, data: object) =>
    client.db('admin').command({ configureFailPoint: 'failCommand', mode, data });

  it('fails commands so many times with the code asked for', async () => {
    await failCommand({ times: 1 }, { failCommands: ['ping'], errorCode: 8000 });
    await expect(client.db('a').command({ ping: 1 })).rejects.toMatchObject({ code: 8000 });
    await expect(client.db('a').command({ ping: 1 })).resolves.toMatchObject({ ok: 1 });
  });

  it('fails the first hello of the application meant, and of no other', async () => {
    const data = { failCommands: ['hello', 'isMaster'], appName: 'unlucky', closeConnection: true };
    await failCommand('alwaysOn', data);
    const connectAs = async (appName: string) => {
      const other = new MongoClient(mongo.uri, { appName, serverSelectionTimeoutMS: 300 });
      return other.connect().finally(() => other.close());
    };
    await expect(connectAs('unlucky')).rejects.toThrow(/closed/);
    await expect(connectAs('lucky')).resolves.toBeDefined();
  });

  it('fails the heartbeats that are streamed to a monitor', async () => {
    const watched = new MongoClient(mongo.uri, { appName: 'watched', heartbeatFrequencyMS: 500 });
    await watched.connect();
    const failed = once(watched, 'serverHeartbeatFailed');
    const data = { failCommands: ['hello', 'isMaster'], appName: 'watched', closeConnection: true };
    await failCommand({ times: 1 }, data);
    await expect(failed).resolves.toHaveLength(1);
    await watched.close();
  });

  it('fails a getMore once it has its cursor', async () => {
    const docs = client.db('a').collection('docs');
    await docs.insertMany([{}, {}, {}]);
    const cursor = docs.find({}, { batchSize: 1 });
    await cursor.next();
    const failPoint = { configureFailPoint: 'failGetMoreAfterCursorCheckout', mode: { times: 1 } };
    await client.db('admin').command({ ...failPoint, data: { errorCode: 133 } });
    await expect(cursor.next()).rejects.toMatchObject({ code: 133 });
  });

  it("lets a cursor's time run out in a getMore", async () => {
    const docs = client.db('a').collection('docs');
    await docs.insertMany([{}, {}, {}]);
    const cursor = docs.find({}, { batchSize: 1, maxTimeMS: 60_000 });
    await cursor.next();
    await client.db('admin').command({ configureFailPoint: 'maxTimeAlwaysTimeOut', mode: 'alwaysOn' });
    await expect(cursor.next()).rejects.toMatchObject({ code: 50 });
  });

  it('lets the driver retry a write whose connection was closed, and does it once', async () => {
    const docs = client.db('a').collection('docs');
    await docs.insertOne({ n: 0 });
    await client.db('admin').command({ configureFailPoint: 'onPrimaryTransactionalWrite', mode: { times: 1 } });
    await docs.updateOne({}, { $inc: { n: 1 } });
    expect((await docs.findOne({}))?.n).toBe(1);
  });

  it('skips so many documents, not commands, before a retryable write fails', async () => {
    await client.db('admin').command({
      configureFailPoint: 'onPrimaryTransactionalWrite',
      mode: { skip: 3 },
      data: { failBeforeCommitExceptionCode: 1 },
    });
    const docs = client.db('a').collection('docs');
    await docs.insertMany([{}, {}, {}]);
    await expect(docs.insertOne({})).rejects.toThrow(/closed/);
  });

  it('keeps its data over a restart, on the same port', async () => {
    const docs = client.db('a').collection('docs');
    await docs.insertOne({ n: 1 });
    const { port } = mongo;
    await mongo.restart();
    expect(mongo.port).toBe(port);
    expect(await docs.countDocuments()).toBe(1);
  });

  it('remembers over a restart which retryable writes were done', async () => {
    const db = client.db('a');
    const session = client.startSession();
    const txnNumber = mongoose.mongo.Long.fromNumber(1);
    const insertOnce = () => db.command({ insert: 'docs', documents: [{ _id: 1 }], txnNumber }, { session });
    await insertOnce();
    await mongo.restart();
    await db.command({ ping: 1 }).catch(() => {}); // the driver notices that its connections are gone
    expect(await insertOnce()).toMatchObject({ n: 1, retriedStmtIds: [0] });
    await session.endSession();
  });

  it('serves on after its connections were dropped', async () => {
    mongo.dropConnections();
    await expect(client.db('a').collection('docs').findOne()).resolves.toBeNull();
  });

  it('answers late while it is stalled', async () => {
    const order: string[] = [];
    mongo.stall(300);
    setTimeout(() => order.push('200 ms'), 200);
    await client.db('a').command({ ping: 1 });
    order.push('answer');
    expect(order).toEqual(['200 ms', 'answer']);
  });

  it('closes a connection that sends a malformed frame, and no other', async () => {
    const socket = connect(mongo.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(Buffer.from('ffffff7f0100000000000000dd070000', 'hex'));
    await once(socket, 'close');
    await expect(client.db('a').command({ ping: 1 })).resolves.toMatchObject({ ok: 1 });
  });

  it('refuses connections once stopped, and stops again without complaint', async () => {
    const { port } = mongo;
    await mongo.stop();
    await mongo.stop();
    const [error] = await once(createConnection(port, '127.0.0.1'), 'error').catch((reason) => [reason]);
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });
});
