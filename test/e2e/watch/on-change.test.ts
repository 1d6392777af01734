import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Injectable, Sse, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Schema } from 'mongoose';
import {
  InjectPolyModel,
  MemoryTokenStore,
  OnChange,
  OnDbError,
  PolyMongoModule,
  PolyMongoWatch,
  type Change,
  type PolyModel,
} from 'nestjs-polymongo';
import { startTestServer, type TestServer } from '../../support/test-server.js';
import { turns } from '../../support/turns.js';
import { waitFor } from '../../support/wait-for.js';

interface Item {
  name: string;
}

const tokenStore = new MemoryTokenStore();
const opened = new Map<string, () => void>();

@Injectable()
class Handlers {
  readonly seen: string[] = [];
  readonly errors: string[] = [];
  onSeen = () => {};

  @OnChange({ model: 'Item', operationTypes: ['insert'], tokenStore, onOpen: () => opened.get('inserts')?.() })
  async inserted(change: Change<Item>): Promise<void> {
    const { name } = (change as { fullDocument: Item }).fullDocument;
    await turns();
    this.seen.push(name);
    this.onSeen();
  }

  @OnChange({
    model: 'Item',
    db: 'elsewhere',
    retry: { attempts: 2, delayMS: 1 },
    onOpen: () => opened.get('failing')?.(),
  })
  failing(): void {
    this.seen.push('try');
    throw new Error('bad change');
  }

  @OnDbError()
  failed(error: Error, { during }: { during: string }): void {
    this.errors.push(`${during}: ${error.message}`);
    this.onSeen();
  }

  async until(isThere: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      this.onSeen = () => isThere() && resolve();
      this.onSeen();
    });
  }
}

@Controller()
class Live {
  @InjectPolyModel('Item') readonly items!: PolyModel<Item>;

  @Sse('live')
  live() {
    return this.items.watch$({ onOpen: () => opened.get('live')?.() });
  }
}

describe('in a Nest application', () => {
  let server: TestServer;
  let app: INestApplication;
  let items: PolyModel<Item>;
  let run = 0;
  const opens = (name: string) => new Promise<void>((resolve) => opened.set(name, resolve));

  const start = async (defaultDB: string) => {
    const module = await Test.createTestingModule({
      imports: [
        PolyMongoModule.forRoot({ mongoURI: server.uri, defaultDB }),
        PolyMongoModule.forFeature([{ name: 'Item', schema: new Schema<Item>({ name: String }) }]),
      ],
      providers: [Handlers],
      controllers: [Live],
    }).compile();
    app = module.createNestApplication({ logger: false });
    const open = Promise.all([opens('inserts'), opens('failing')]);
    await app.listen(0);
    await open;
    items = app.get(Live).items;
    return app.get(Handlers);
  };

  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    run++;
    await tokenStore.delete('Handlers.inserted');
  });
  afterEach(() => app.close());

  it('@OnChange handles from the start to the shutdown, and goes on where it was', async () => {
    const db = `onchange_${process.pid}_${run}`;
    let handlers = await start(db);
    for (const name of ['a', 'b', 'c']) await items.create({ name });
    await handlers.until(() => handlers.seen.length >= 1);
    await app.close();
    const before = [...handlers.seen];
    handlers = await start(db);
    await items.create({ name: 'd' });
    await handlers.until(() => handlers.seen.includes('d'));
    expect([...before, ...handlers.seen]).toEqual(['a', 'b', 'c', 'd']);
  });

  it('@OnChange retries, then stops and tells @OnDbError', async () => {
    const handlers = await start(`onchange_${process.pid}_${run}`);
    await items.db('elsewhere').create({ name: 'x' });
    await handlers.until(() => handlers.errors.length > 0);
    expect(handlers.seen).toEqual(['try', 'try']);
    expect(handlers.errors).toEqual(['@OnChange Handlers.failing, which has stopped: bad change']);
  });

  it('@Sse returns watch$ as it is: events carry the change, and the stream ends with the request', async () => {
    await start(`onchange_${process.pid}_${run}`);
    const watch = app.get(PolyMongoWatch);
    const before = watch.openStreams;
    const open = opens('live');
    const { port } = app.getHttpServer().address() as AddressInfo;
    const response = await new Promise<IncomingMessage>((resolve) => get({ port, path: '/live' }, resolve));
    await open;
    expect(watch.openStreams).toBe(before + 1);
    await items.create({ name: 'shown' });
    const text = await new Promise<string>((resolve) => {
      let received = '';
      response.on('data', (chunk: Buffer) => {
        received += chunk.toString();
        if (/^data:.*\n\n/m.test(received)) resolve(received);
      });
    });
    const event = JSON.parse(/^data: (.*)$/m.exec(text)![1]!) as { operationType: string; fullDocument: Item };
    expect(event).toMatchObject({ operationType: 'insert', fullDocument: { name: 'shown' } });
    expect(text).toMatch(/^id: [0-9A-F]{20,}$/im);
    response.destroy();
    await waitFor(() => watch.openStreams <= before);
  });
});
