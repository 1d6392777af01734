import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose, { Schema } from 'mongoose';
import {
  ChangeStreamHistoryLostError,
  InvalidResumeTokenError,
  MemoryTokenStore,
  PolyMongoWrapper,
  type PolyModel,
  type Reconnect,
  type WatchOptions,
} from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { unhandledDuring } from '../../support/unhandled.js';
import { waitFor } from '../../support/wait-for.js';
import { turns } from '../../support/turns.js';

interface Entry {
  _id: number;
}

describe('watch$ under faults', () => {
  let mongo: EmbeddedMongo;
  let polymongo: PolyMongoWrapper;
  let entries: PolyModel<Entry>;
  let writer: mongoose.mongo.Collection<Entry>;
  let client: mongoose.mongo.MongoClient;

  beforeEach(async () => {
    mongo = await EmbeddedMongo.start();
    polymongo = new PolyMongoWrapper({ mongoURI: mongo.uri, defaultDB: 'faults', handleSignals: false });
    const schema = new Schema<Entry>({ _id: Number });
    entries = polymongo.wrapModel(mongoose.createConnection().model<Entry>('Entry', schema)) as never;
    client = await new mongoose.mongo.MongoClient(mongo.uri).connect();
    writer = client.db('faults').collection<Entry>(entries.collection.name);
    await writer.insertOne({ _id: -1 });
  });
  afterEach(async () => {
    await polymongo.actions.closeAll();
    await client.close();
    await mongo.stop();
  });

  async function follow(options: WatchOptions<Entry> = {}, model: Pick<PolyModel<Entry>, 'watch$'> = entries) {
    const ids: number[] = [];
    const reconnects: Reconnect[] = [];
    const waiting = new Set<() => void>();
    const wake = () => [...waiting].forEach((check) => check());
    let error: unknown;
    let subscription;
    await new Promise<void>((resolve) => {
      subscription = model
        .watch$({ ...options, onOpen: resolve, onReconnect: (reconnect) => void reconnects.push(reconnect) })
        .subscribe({
          next: (change) => {
            ids.push(Number((change as unknown as { documentKey: Entry }).documentKey._id));
            wake();
          },
          error: (e: unknown) => {
            error = e;
            wake();
          },
        });
    });
    const until = (isThere: () => boolean) =>
      new Promise<void>((resolve) => {
        const check = () => {
          if (!isThere()) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      });
    return {
      ids,
      reconnects,
      subscription: subscription!,
      receives: (n: number) => until(() => ids.length >= n || error !== undefined),
      fails: async () => {
        await until(() => error !== undefined);
        return error;
      },
    };
  }

  const insert = async (id: number) => {
    for (;;) {
      try {
        return void (await writer.insertOne({ _id: id }));
      } catch (error) {
        if ((error as { code?: unknown }).code === 11000) return; // an earlier try had arrived
      }
    }
  };

  it('delivers 10,000 changes once and in order over 50 restarts, stalls and drops', async () => {
    const changes = await follow();
    const total = 10_000;
    const disturb = async () => {
      for (let i = 0; i < 50; i++) {
        await changes.receives(Math.floor((i * total) / 51));
        if (i % 3 === 0) await mongo.restart();
        else if (i % 3 === 1) await mongo.dropConnections();
        else await mongo.stall(30);
      }
    };
    const write = async () => {
      for (let id = 0; id < total; id++) await insert(id);
    };
    await Promise.all([write(), disturb(), changes.receives(total)]);
    expect(changes.ids).toEqual(Array.from({ length: total }, (_, i) => i));
    expect(changes.reconnects.length).toBeGreaterThan(10);
    changes.subscription.unsubscribe();
  }, 120_000);

  it.each([
    ['CursorNotFound', { errorCode: 43 }],
    ['NotWritablePrimary', { errorCode: 10107 }],
    ['a dropped connection', { closeConnection: true }],
  ])('goes on after %s on getMore, and again when reopening fails too', async (_, data) => {
    const changes = await follow({ maxAwaitTimeMS: 20 });
    const failPoint = (failCommands: string[], times: number) =>
      client
        .db('admin')
        .command({ configureFailPoint: 'failCommand', mode: { times }, data: { failCommands, ...data } });
    for (let id = 0; id < 3; id++) {
      await failPoint(['getMore', 'aggregate'], 1 + id);
      await insert(id);
      await changes.receives(id + 1);
    }
    expect(changes.ids).toEqual([0, 1, 2]);
    expect(changes.reconnects.length).toBeGreaterThan(0);
  });

  it('delivers on when onOpen and onReconnect reject, of a shared stream too; onDbError is told, and the process goes on', async () => {
    const failures: string[] = [];
    polymongo.onDbError((error, { during }) => failures.push(`${during.split(' ')[0]}: ${(error as Error).message}`));
    const ids: number[][] = [[], []];
    const unhandled = await unhandledDuring(async () => {
      const subscriptions = [false, true].map((share, n) =>
        entries
          .watch$({
            share,
            maxAwaitTimeMS: 20,
            onOpen: () => Promise.reject(new Error(`open ${share}`)),
            onReconnect: () => Promise.reject(new Error(`again ${share}`)),
          })
          .subscribe((change) => ids[n]!.push(Number((change as unknown as { documentKey: Entry }).documentKey._id))),
      );
      await waitFor(() => failures.length === 2);
      mongo.dropConnections();
      await waitFor(() => failures.length === 4);
      await insert(1);
      await waitFor(() => ids.flat().length === 2);
      for (const subscription of subscriptions) subscription.unsubscribe();
    });
    expect(unhandled).toEqual([]);
    expect(failures.sort()).toEqual([
      'onOpen: open false',
      'onOpen: open true',
      'onReconnect: again false',
      'onReconnect: again true',
    ]);
  });

  it('moves to the new pool when its database is given one of its own', async () => {
    const model = entries.db('moving');
    const changes = await follow({}, model);
    await model.create({ _id: 1 });
    await changes.receives(1);
    polymongo.scale.setDB('moving', { maxConnections: 2 });
    await client.db('moving').collection<Entry>(entries.collection.name).insertOne({ _id: 2 });
    await changes.receives(2);
    polymongo.scale.setDB('moving', { maxConnections: 3 });
    await client.db('moving').collection<Entry>(entries.collection.name).insertOne({ _id: 3 });
    await changes.receives(3);
    expect(changes.ids).toEqual([1, 2, 3]);
    expect(polymongo.pools.poolOf('moving').leaseCount).toBe(1);
    expect(polymongo.pools.primary.leaseCount).toBe(0);
  });

  it('gives up with ChangeStreamHistoryLostError when the history is gone', async () => {
    const changes = await follow({ maxAwaitTimeMS: 20 });
    await client.db('admin').command({
      configureFailPoint: 'failCommand',
      mode: 'alwaysOn',
      data: { failCommands: ['getMore', 'aggregate'], errorCode: 286, errorLabels: ['NonResumableChangeStreamError'] },
    });
    const error = await changes.fails();
    await client.db('admin').command({ configureFailPoint: 'failCommand', mode: 'off' });
    expect(error).toBeInstanceOf(ChangeStreamHistoryLostError);
    expect(String(error)).toContain('tokenStore.delete');
    expect(polymongo.watch.openStreams).toBe(0);
    expect(polymongo.pools.primary.leaseCount).toBe(0);
  });

  it.each(['zz', '8263', '82636465'])(
    'says so when the stored token is none that the server reads: %s',
    async (data) => {
      const tokenStore = new MemoryTokenStore();
      await tokenStore.save('key', { _data: data });
      const error = await new Promise((reject) => {
        entries.watch$({ tokenStore, tokenKey: 'key', process: () => {} }).subscribe({ error: reject });
      });
      expect(error).toBeInstanceOf(InvalidResumeTokenError);
      expect(error).toMatchObject({ tokenKey: 'key' });
    },
  );

  it('misses nothing of what happened while nobody watched, with concurrent handlers and a token store', async () => {
    const tokenStore = new MemoryTokenStore();
    const seen = new Set<number>();
    const total = 300;
    let next = 0;
    for (let round = 0; seen.size < total; round++) {
      const stopAfter = seen.size + 40;
      const changes = await follow({
        tokenStore,
        concurrency: 4,
        process: async (change) => {
          await turns(Math.random() * 5);
          seen.add(Number((change as unknown as { documentKey: Entry }).documentKey._id));
        },
      });
      for (const end = Math.min(next + 60, total); next < end; next++) await insert(next);
      await waitFor(() => seen.size >= Math.min(stopAfter, total));
      changes.subscription.unsubscribe(); // with changes in hand
    }
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, i) => i));
  });
});
