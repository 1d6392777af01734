import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { Schema } from 'mongoose';
import {
  getPolyModelToken,
  InvalidResumeTokenError,
  OnChange,
  OnDbError,
  PolyMongoModule,
  type Change,
  type OnChangeOptions,
  type PolyModel,
  type ResumeToken,
  type ResumeTokenStore,
} from 'nestjs-polymongo';
import { MortalServer } from '../../support/mortal-server.js';
import { mulberry32 } from '../../support/random.js';
import { printedSeed } from '../../support/seed.js';
import { turns } from '../../support/turns.js';
import { waitFor } from '../../support/wait-for.js';

const ROUNDS = Number(process.env.POLYMONGO_SEEDS ?? 6);
const FIRST_SEED = printedSeed('@OnChange');

interface Item {
  n: number;
}

/** As a Redis client would be used: answers null for what is not there, and fails when it is told to. */
class RedisLikeStore implements ResumeTokenStore {
  readonly tokens = new Map<string, ResumeToken>();
  isFailing = (_: 'load' | 'save'): boolean => false;

  async load(key: string): Promise<ResumeToken | null> {
    if (this.isFailing('load')) throw new Error('ECONNREFUSED 6379');
    return this.tokens.get(key) ?? null;
  }
  async save(key: string, token: ResumeToken): Promise<void> {
    if (this.isFailing('save')) throw new Error('ECONNREFUSED 6379');
    this.tokens.set(key, token);
  }
  async delete(key: string): Promise<void> {
    this.tokens.delete(key);
  }
}

let server: MortalServer;
let app: INestApplicationContext | undefined;
let store: RedisLikeStore;
let handled: number[];
let errors: string[];
let opened: number;
let handle: (n: number) => unknown;

beforeEach(async () => {
  server = await MortalServer.start();
  store = new RedisLikeStore();
  [handled, errors, opened] = [[], [], 0];
  handle = (n) => handled.push(n);
});
afterEach(async () => {
  await app?.close();
  app = undefined;
  await server.kill();
});

const storeOfTest: ResumeTokenStore = {
  load: (key) => store.load(key),
  save: (key, token) => store.save(key, token),
  delete: (key) => store.delete(key),
};
const OPTIONS: OnChangeOptions = {
  model: 'Item',
  operationTypes: ['insert'],
  tokenStore: storeOfTest,
  onOpen: () => void opened++,
};
const numberOf = (change: Change<Item>) => (change as { fullDocument: Item }).fullDocument.n;

@Injectable()
class Handlers {
  @OnChange({ ...OPTIONS, onError: 'skip', retry: { attempts: 4, delayMS: 1 } })
  async inserted(change: Change<Item>): Promise<void> {
    await handle(numberOf(change));
  }

  @OnDbError()
  failed(error: Error, { during }: { during: string }): void {
    errors.push(`${during}: ${error.message}`);
  }
}

const root = () =>
  PolyMongoModule.forRoot({
    mongoURI: server.uri,
    defaultDB: 'changes',
    driverOptions: { serverSelectionTimeoutMS: 200 },
  });
const features = () => PolyMongoModule.forFeature([{ name: 'Item', schema: new Schema<Item>({ n: Number }) }]);

@Module({ providers: [Handlers] })
class LazyHandlersModule {}

async function start(isLazy = false) {
  const providers = isLazy ? [] : [Handlers];
  const module = await Test.createTestingModule({ imports: [root(), features()], providers }).compile();
  module.useLogger(false);
  app = await module.init();
  if (isLazy) await app.get(LazyModuleLoader, { strict: false }).load(() => LazyHandlersModule);
}
const insert = (n: number) => app!.get<PolyModel<Item>>(getPolyModelToken('Item'), { strict: false }).create({ n });

describe('@OnChange', () => {
  it('waits for a server that is down when the application starts', async () => {
    await server.kill();
    await start();
    await waitFor(() => errors.length > 1);
    await server.start();
    await waitFor(() => opened === 1);
    await insert(1);
    await waitFor(() => handled.length === 1);
    expect(errors.filter((error) => error.includes('stopped'))).toEqual([]);
  });

  it('begins afresh when the store has nothing yet and says null', async () => {
    await start();
    await waitFor(() => opened === 1);
    await insert(1);
    await waitFor(() => handled.length === 1);
  });

  it('stops with a typed error when the store answers what is no token', async () => {
    store.tokens.set('Handlers.inserted', '[object Object]');
    await start();
    await waitFor(() => errors.length > 0);
    expect(errors[0]).toContain('which has stopped: ');
    expect(errors[0]).toContain(new InvalidResumeTokenError('Handlers.inserted', 'is a string').message);
  });

  it('goes on when the store cannot be read or written for a while, and loses nothing of what happened meanwhile', async () => {
    let loads = 0;
    store.isFailing = (call) => call === 'load' && loads++ < 2;
    await start();
    await waitFor(() => opened === 1 && store.tokens.size === 1);
    store.isFailing = (call) => call === 'save';
    await insert(1);
    await insert(2);
    await waitFor(() => handled.length === 2);
    store.isFailing = () => false;
    await insert(3);
    await waitFor(() => handled.length === 3);
    await app!.close();
    await start();
    await waitFor(() => opened === 2);
    await insert(4);
    await waitFor(() => handled.includes(4));
    expect(handled).toEqual([1, 2, 3, 4]);
    expect(errors.filter((error) => error.includes('stopped'))).toEqual([]);
  });

  it('runs in modules that are loaded lazily, once', async () => {
    @Injectable()
    class LazyHandlers {
      @OnChange({ model: 'Item', onOpen: () => void opened++ })
      inserted(change: Change<Item>): void {
        handled.push(numberOf(change) * 10);
      }
    }
    @Module({ providers: [LazyHandlers] })
    class LazyModule {}

    await start();
    const loader = app!.get(LazyModuleLoader, { strict: false });
    await Promise.all([loader.load(() => LazyModule), loader.load(() => LazyModule)]);
    await waitFor(() => opened === 2);
    await insert(1);
    await waitFor(() => handled.length === 2);
    expect(handled.sort((a, b) => a - b)).toEqual([1, 10]);
  });

  it(`loses no change, whatever fails and whenever the application ends (seeds ${FIRST_SEED} to ${FIRST_SEED + ROUNDS - 1}, POLYMONGO_SEED)`, async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + ROUNDS; seed++) {
      const random = mulberry32(seed);
      let isCalm = false;
      store = new RedisLikeStore();
      store.isFailing = (call) => (call === 'save' || store.tokens.size > 0) && !isCalm && random() < 0.3;
      const attempts = new Map<number, number>();
      const done: number[] = [];
      handle = async (n) => {
        if (random() < 0.5) await turns(random() * 5);
        const failed = attempts.get(n) ?? 0;
        if (!isCalm && failed < 3 && random() < 0.5) {
          attempts.set(n, failed + 1);
          throw new Error('not now');
        }
        done.push(n);
      };
      let written = 0;
      for (let life = 0; life < 5; life++) {
        isCalm = life === 4;
        attempts.clear();
        const wasOpened = opened;
        const isDown = life === 0 && random() < 0.5; // later it would come back without its data
        if (isDown) await server.kill();
        await start(random() < 0.5);
        if (isDown) await server.start();
        if (life === 0) await waitFor(() => opened > wasOpened);
        for (let i = 0; i < 8; i++) {
          await waitFor(() => insert(written));
          written++;
          if (random() < 0.2) server.dropConnections();
        }
        if (isCalm) await waitFor(() => done.includes(written - 1));
        if (life === 0) await waitFor(() => store.tokens.size > 0); // until then there is nothing to go on from
        await app!.close();
      }
      const first = [...new Set(done)];
      expect([seed, first]).toEqual([seed, Array.from({ length: written }, (_, n) => n)]);
    }
  }, 60_000);
});
