import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { deserialize, serialize, type Document } from 'bson';
import { EmbeddedMongo } from 'embedded-mongo';

const OP_MSG = 2013;
const MORE_TO_COME = 2;
const EXHAUST_ALLOWED = 1 << 16;

/** A client that speaks the wire protocol itself: the Node driver never asks for exhaust cursors. */
class WireClient {
  private buffered = Buffer.alloc(0);

  constructor(private readonly socket: Socket) {}

  send(command: Document, flags = 0): void {
    const document = serialize(command);
    const frame = Buffer.alloc(21 + document.length);
    frame.writeInt32LE(frame.length, 0);
    frame.writeInt32LE(OP_MSG, 12);
    frame.writeUInt32LE(flags, 16);
    frame.set(document, 21);
    this.socket.write(frame);
  }

  async receive(): Promise<{ document: Document; hasMore: boolean }> {
    while (this.buffered.length < 4 || this.buffered.length < this.buffered.readInt32LE(0)) {
      const [chunk] = (await once(this.socket, 'data')) as [Buffer];
      this.buffered = Buffer.concat([this.buffered, chunk]);
    }
    const frame = this.buffered.subarray(0, this.buffered.readInt32LE(0));
    this.buffered = this.buffered.subarray(frame.length);
    return {
      document: deserialize(frame.subarray(21), { promoteLongs: false }),
      hasMore: (frame.readUInt32LE(16) & MORE_TO_COME) !== 0,
    };
  }
}

describe('exhaust cursors', () => {
  let mongo: EmbeddedMongo;
  let socket: Socket;

  beforeAll(async () => {
    mongo = await EmbeddedMongo.start();
    socket = connect(mongo.port, '127.0.0.1');
    await once(socket, 'connect');
  });

  afterAll(async () => {
    socket.destroy();
    await mongo.stop();
  });

  it('send all batches that are left in answer to one getMore', async () => {
    const client = new WireClient(socket);
    client.send({ insert: 'n', documents: [1, 2, 3, 4].map((n) => ({ _id: n })), $db: 'exhaust' });
    await client.receive();
    client.send({ find: 'n', batchSize: 1, $db: 'exhaust' });
    const { document } = await client.receive();
    const getMore: unknown = document.cursor.id;
    client.send({ getMore, collection: 'n', batchSize: 2, $db: 'exhaust' }, EXHAUST_ALLOWED);
    const batches: unknown[] = [];
    for (let hasMore = true; hasMore;) {
      const reply = await client.receive();
      hasMore = reply.hasMore;
      batches.push(reply.document.cursor.nextBatch);
    }
    expect(batches).toEqual([[{ _id: 2 }, { _id: 3 }], [{ _id: 4 }]]);
    client.send({ ping: 1, $db: 'exhaust' });
    expect(await client.receive()).toMatchObject({ document: { ok: 1 }, hasMore: false });
  });
});
