import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Schema } from 'mongoose';
import type { Change, PolyMongoOptions } from 'nestjs-polymongo';
import { usePools } from '../../support/pools-fixture.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { turns } from '../../support/turns.js';
import { waitFor } from '../../support/wait-for.js';

interface Item {
  n: number;
  text?: string;
}
const fixture = usePools();
/** More than the sockets between a client and a server hold. */
const TOO_MUCH = 12 * 2 ** 20;

let sockets: Socket[];
const note = (message: unknown) => void sockets.push((message as { socket: Socket }).socket);
beforeEach(() => {
  sockets = [];
  subscribe('net.client.socket', note);
});
afterEach(() => void unsubscribe('net.client.socket', note));

function items(options?: Partial<PolyMongoOptions>) {
  const polymongo = fixture.create({ maxPoolSize: 1, ...options });
  const model = polymongo.wrapModel(
    polymongo.models.define({ name: 'Item', schema: new Schema<Item>({ n: Number, text: String }) }),
  );
  return { polymongo, model };
}

/** The server ends the socket that `before` has used; `send` is called when it is destroyed, and has not said 'close'. */
async function asSocketEnds<T>(before: () => Promise<unknown>, send: () => Promise<T>): Promise<T> {
  const written = sockets.map((socket) => socket.bytesWritten);
  await before();
  const [used] = sockets.filter((socket, i) => socket.bytesWritten > written[i]!);
  let hasSaidClose = false;
  used!.once('close', () => (hasSaidClose = true));
  const ended = once(used!, 'end');
  fixture.server.dropConnections();
  await ended;
  await turns();
  expect([used!.destroyed, hasSaidClose]).toEqual([true, false]);
  return send();
}

it('a read that is sent as its socket ends is made on another', async () => {
  const { model } = items();
  await model.create({ n: 1 });
  const found = await asSocketEnds(
    () => model.findOne().exec(),
    () => model.findOne().lean().exec(),
  );
  expect(found).toMatchObject({ n: 1 });
});

it('a write that is sent as its socket ends is made once, on another', async () => {
  const { model } = items();
  await model.create({ n: 2 });
  await asSocketEnds(
    () => model.findOne().exec(),
    () => model.create({ n: 3 }),
  );
  expect(await model.countDocuments({ n: 3 })).toBe(1);
});

it('a change stream that is read as its socket ends goes on', async () => {
  const { model } = items({ maxPoolSize: 3 });
  let isOpen = false;
  const changes = model.watch$({ onOpen: () => void (isOpen = true) })[Symbol.asyncIterator]();
  const first = changes.next();
  await waitFor(() => isOpen);
  await model.create({ n: 4 });
  await first;
  const nOf = ({ value }: IteratorResult<Change<Item>, unknown>) => (value as { fullDocument: Item }).fullDocument.n;
  const next = await asSocketEnds(
    async () => {
      await model.create({ n: 5 });
      await changes.next();
    },
    async () => {
      const read = changes.next();
      await waitFor(() => model.create({ n: 6 }));
      return read;
    },
  );
  expect(nOf(next)).toBe(6);
  await changes.return?.();
});

it('a write of which the socket has taken half is made again when the server resets it', async () => {
  const proxy = await TcpProxy.to(fixture.server.port);
  const { model } = items({ mongoURI: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true` });
  await model.create({ n: 7 });
  proxy.clog();
  const write = model.create({ n: 8, text: 'x'.repeat(TOO_MUCH) });
  await waitFor(() => sockets.some((socket) => socket.writableNeedDrain));
  proxy.drop();
  await write;
  expect(await model.countDocuments({ n: 8 })).toBe(1);
  await proxy.stop();
});

it('a write of which the socket has taken half fails when its pool is closed by force', async () => {
  const proxy = await TcpProxy.to(fixture.server.port);
  const { model, polymongo } = items({ mongoURI: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true` });
  await model.create({ n: 9 });
  proxy.clog();
  const write = model.create({ n: 10, text: 'x'.repeat(TOO_MUCH) });
  const failed = expect(write).rejects.toThrow();
  await waitFor(() => sockets.some((socket) => socket.writableNeedDrain));
  await polymongo.actions.forceCloseAll();
  await failed;
  await proxy.stop();
});
