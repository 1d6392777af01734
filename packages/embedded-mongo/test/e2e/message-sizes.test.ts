import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { deserialize, serialize, setInternalBufferSize } from 'bson';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose, { type mongo } from 'mongoose';
import { EmbeddedMongo } from 'embedded-mongo';

const { MongoClient } = mongoose.mongo;
const MB = 1024 * 1024;

const half = (length: number): Buffer => {
  const bytes = Buffer.alloc(length / 2);
  bytes.writeInt32LE(length, 0);
  bytes.writeInt32LE(2013, 12); // OP_MSG
  return bytes;
};

async function open(server: EmbeddedMongo): Promise<Socket> {
  const socket = connect(Number(new URL(server.uri).port), '127.0.0.1');
  socket.on('error', () => {}); // it is closed while it sends
  await once(socket, 'connect');
  return socket;
}

const closing = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));

describe('who has not authenticated where users have to', () => {
  let server: EmbeddedMongo;
  let client: mongo.MongoClient;

  beforeAll(async () => {
    server = await EmbeddedMongo.start({ users: [{ username: 'ann', password: 'x' }] });
    client = await new MongoClient(server.uri, { auth: { username: 'ann', password: 'x' } }).connect();
  });

  afterAll(async () => {
    await client.close();
    await server.stop();
  });

  it('cannot make the server keep large messages: the connection is closed', async () => {
    const sockets = await Promise.all(Array.from({ length: 60 }, () => open(server)));
    const closed = sockets.map(closing);
    for (const socket of sockets) socket.write(half(40 * MB));
    await Promise.all(closed);
    await expect(client.db('a').command({ ping: 1 })).resolves.toMatchObject({ ok: 1 });
  });

  it('is taken messages of up to 16 KB from, and everybody else long ones', async () => {
    const stranger = new MongoClient(server.uri);
    const hello = (length: number): Promise<unknown> => stranger.db('a').command({ hello: 1, comment: 'x'.repeat(length) }); // prettier-ignore
    await expect(hello(12_000)).resolves.toMatchObject({ ok: 1 });
    await expect(hello(20_000)).rejects.toMatchObject({ name: 'MongoNetworkError' });
    await stranger.close();
    const documents = Array.from({ length: 4 }, () => ({ text: 'x'.repeat(10 * MB) }));
    await expect(client.db('a').collection('long').insertMany(documents)).resolves.toMatchObject({ insertedCount: 4 });
  });
});

describe('a command that is longer than a document may be', () => {
  it('is refused before it is read, with what it carries of documents in itself', async () => {
    const server = await EmbeddedMongo.start();
    const socket = await open(server);
    const send = async (command: object): Promise<object> => {
      const document = serialize(command);
      const message = Buffer.concat([Buffer.alloc(21), document]);
      message.writeInt32LE(message.length, 0);
      message.writeInt32LE(2013, 12); // OP_MSG
      socket.write(message);
      const [reply] = (await once(socket, 'data')) as [Buffer];
      return deserialize(reply.subarray(21));
    };
    setInternalBufferSize(40 * MB);
    expect(await send({ ping: 1, comment: 'x'.repeat(16 * MB), $db: 'a' })).toMatchObject({ ok: 1 });
    const documents = [{ text: 'x'.repeat(10 * MB) }, { text: 'x'.repeat(10 * MB) }];
    const refusal = { ok: 0, code: 10334, codeName: 'BSONObjectTooLarge' };
    expect(await send({ insert: 'long', documents, $db: 'a' })).toMatchObject(refusal);
    expect(await send({ ping: 1, $db: 'a' })).toMatchObject({ ok: 1 });
    socket.destroy();
    await server.stop();
  });
});

describe('many who send long messages at once', () => {
  it('are served, though others begin messages that they never end', async () => {
    const server = await EmbeddedMongo.start();
    const idle = await Promise.all(Array.from({ length: 10 }, () => open(server)));
    const standing = idle.map(closing);
    for (const socket of idle) socket.write(half(47_000_000));
    const client = new MongoClient(server.uri, { maxPoolSize: 6 });
    const collection = client.db('a').collection('long');
    const inserts = Array.from(
      { length: 6 },
      (_, n) =>
      collection.insertMany([{ n, text: 'x'.repeat(15 * MB) }, { n, text: 'x'.repeat(15 * MB) }]), // prettier-ignore
    );
    await Promise.all(inserts);
    expect(await collection.countDocuments()).toBe(12);
    await client.close();
    for (const socket of idle) socket.destroy();
    await Promise.all(standing);
    await server.stop();
  }, 120_000);
});
