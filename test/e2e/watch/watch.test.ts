import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose, { Schema } from 'mongoose';
import type { Observable } from 'rxjs';
import {
  ChangeBufferOverflowError,
  ChangeStreamInvalidatedError,
  MemoryTokenStore,
  PolyMongoOptionsError,
  PolyMongoWrapper,
  type Change,
  type PolyModel,
  type WatchOptions,
} from 'nestjs-polymongo';
import { startTestServer, type TestServer } from '../../support/test-server.js';
import { waitFor } from '../../support/wait-for.js';
import { turns } from '../../support/turns.js';

interface User {
  name: string;
}

describe('watch$', () => {
  let server: TestServer;
  let polymongo: PolyMongoWrapper;
  let users: PolyModel<User>;
  let run = 0;

  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    const db = `watch_${process.pid}_${++run}`;
    polymongo = new PolyMongoWrapper({ mongoURI: server.uri, defaultDB: db, handleSignals: false });
    const schema = new Schema<User>({ name: String });
    users = polymongo.wrapModel(mongoose.createConnection().model<User>('User', schema)) as never;
    await users.create({ name: 'first' });
  });
  afterEach(() => polymongo.actions.closeAll());

  const other = () => `${polymongo.options.defaultDB}_other`;

  /** Subscribes, resolves when the stream is open, and collects. */
  async function follow(
    watch: (options: WatchOptions<User>) => Observable<Change<User>>,
    options: WatchOptions<User> = {},
  ) {
    const names: unknown[] = [];
    const waiting = new Set<() => void>();
    const state = { isComplete: false, error: undefined as unknown };
    const notify = () => [...waiting].forEach((check) => check());
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
    let subscription;
    await new Promise<void>((resolve, reject) => {
      subscription = watch({ ...options, onOpen: resolve }).subscribe({
        next: (change) => {
          names.push('fullDocument' in change ? change.fullDocument?.name : change.operationType);
          notify();
        },
        error: (error: unknown) => {
          state.error = error;
          notify();
          reject(error as Error);
        },
        complete: () => {
          state.isComplete = true;
          notify();
        },
      });
    });
    return {
      names,
      state,
      subscription: subscription!,
      receives: (n: number) => until(() => names.length >= n || state.error !== undefined),
      completes: () => until(() => state.isComplete),
      fails: () => until(() => state.error !== undefined),
    };
  }

  const cursors = async () => {
    const admin = users.db.getClient().db('admin');
    const ops = await admin.aggregate([{ $currentOp: { idleCursors: true, allUsers: true } }]).toArray();
    const mine = ops.filter(({ cursor, command, ns }) => {
      const pipeline = (cursor?.originatingCommand ?? command)?.pipeline as { $changeStream?: unknown }[] | undefined;
      return String(ns).startsWith(polymongo.options.defaultDB) && pipeline?.[0]?.$changeStream;
    });
    return mine.length;
  };
  const untilNoCursor = async () => {
    await waitFor(async () => (await cursors()) === 0);
  };

  it('delivers what is written after onOpen, in order', async () => {
    const changes = await follow((options) => users.watch$(options));
    for (const name of ['a', 'b', 'c']) await users.create({ name });
    await changes.receives(3);
    expect(changes.names).toEqual(['a', 'b', 'c']);
    changes.subscription.unsubscribe();
  });

  it('is cold, and closes its stream on the server when its subscriber leaves', async () => {
    const observable = users.watch$();
    expect(polymongo.watch.openStreams).toBe(0);
    const changes = await follow((options) => users.watch$(options));
    expect(polymongo.watch.openStreams).toBe(1);
    await waitFor(async () => (await cursors()) === 1);
    changes.subscription.unsubscribe();
    expect(polymongo.watch.openStreams).toBe(0);
    await untilNoCursor();
    await waitFor(() => polymongo.pools.primary.leaseCount === 0);
    expect(observable).toBeDefined();
  });

  it('watches models of other databases and of the tenant, a database, and the cluster', async () => {
    const { tenantContext, tenantDatabases } = polymongo;
    const [elsewhere, tenant, database, cluster] = await Promise.all([
      follow((options) => users.db(other()).watch$(options)),
      tenantContext.run('acme' + run, () => follow((options) => users.tenant().watch$(options))),
      follow((options) => polymongo.watch$({ ...(options as object), db: other() }) as never),
      follow((options) => polymongo.watch$({ ...(options as object), operationTypes: ['insert'] }) as never),
    ]);
    await users.create({ name: 'here' });
    await users.db(other()).create({ name: 'there' });
    await users.db(tenantDatabases.of('acme' + run)).create({ name: 'tenant' });
    await Promise.all([elsewhere.receives(1), tenant.receives(1), database.receives(1), cluster.receives(3)]);
    expect([elsewhere.names, tenant.names, database.names]).toEqual([['there'], ['tenant'], ['there']]);
    expect(cluster.names).toEqual(expect.arrayContaining(['here', 'there', 'tenant']));
  });

  it('filters by operation types and pipeline', async () => {
    const changes = await follow((options) => users.watch$(options), {
      operationTypes: ['insert', 'delete'],
      pipeline: [{ $match: { 'fullDocument.name': { $ne: 'b' } } }],
    });
    await users.create([{ name: 'a' }, { name: 'b' }], { ordered: true });
    await users.updateOne({ name: 'a' }, { name: 'z' });
    await users.deleteOne({ name: 'z' });
    await changes.receives(2);
    expect(changes.names).toEqual(['a', 'delete']);
  });

  it('is one stream on the server for those who share it, until the last one leaves', async () => {
    const one = await follow((options) => users.watch$(options), { share: true });
    const two = await follow((options) => users.watch$(options), { share: true });
    expect(polymongo.watch.openStreams).toBe(1);
    await users.create({ name: 'a' });
    await Promise.all([one.receives(1), two.receives(1)]);
    one.subscription.unsubscribe();
    await users.create({ name: 'b' });
    await two.receives(2);
    expect([one.names, two.names]).toEqual([['a'], ['a', 'b']]);
    two.subscription.unsubscribe();
    await untilNoCursor();
  });

  it('iterates one at a time, and ends on the server when the loop is left', async () => {
    const names: unknown[] = [];
    let opened!: () => void;
    const isOpen = new Promise<void>((resolve) => (opened = resolve));
    const loop = (async () => {
      for await (const change of users.watch$({ onOpen: opened, bufferSize: 1 })) {
        await turns();
        if (change.operationType === 'insert') names.push(change.fullDocument.name);
        if (names.length === 20) break;
      }
    })();
    await isOpen;
    await users.insertMany(Array.from({ length: 25 }, (_, i) => ({ name: String(i) })));
    await loop;
    expect(names).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
    await untilNoCursor();
    expect(polymongo.watch.openStreams).toBe(0);
  });

  it('ends an iteration that waits when it is returned', async () => {
    const iterator = users.watch$()[Symbol.asyncIterator]();
    const next = iterator.next();
    await iterator.return!();
    expect(await next).toMatchObject({ done: true });
  });

  it('gives a slow asynchronous subscriber one at a time, and fails when its buffer is full', async () => {
    let running = 0;
    let failed!: (error: unknown) => void;
    const failure = new Promise<unknown>((resolve) => (failed = resolve));
    await new Promise<void>((resolve) => {
      users.watch$({ bufferSize: 5, onOpen: resolve }).subscribe({
        // eslint-disable-next-line @typescript-eslint/no-misused-promises -- as users write it
        next: async () => {
          expect(++running).toBe(1);
          await waitFor(() => polymongo.watch.openStreams === 0); // the buffer is full
          running--;
        },
        error: failed,
      });
    });
    await users.insertMany(Array.from({ length: 20 }, (_, i) => ({ name: String(i) })));
    expect(await failure).toBeInstanceOf(ChangeBufferOverflowError);
    expect(polymongo.watch.openStreams).toBe(0);
  });

  it.each([[false], [true]])(
    'delivers on when a handler or callback throws or rejects, and tells onDbError (share: %p)',
    async (share) => {
      const told: string[] = [];
      const seen: unknown[] = [];
      polymongo.onDbError((error, { during }) => told.push(`${during}: ${(error as Error).message}`));
      const open: Promise<void>[] = [];
      for (const fail of [
        () => {
          throw new Error('thrown');
        },
        () => Promise.reject(new Error('rejected')),
      ]) {
        open.push(
          new Promise((resolve) =>
            // eslint-disable-next-line @typescript-eslint/no-misused-promises -- as users write it
            users.watch$({ share, onOpen: () => (resolve(), fail()) }).subscribe((change) => {
              seen.push((change as { fullDocument: User }).fullDocument.name);
              return fail();
            }),
          ),
        );
      }
      await Promise.all(open);
      for (const name of ['a', 'b', 'c']) await users.create({ name });
      await waitFor(() => seen.length >= 6 && told.length >= 8);
      expect(seen.sort()).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
      const source = `${polymongo.options.defaultDB}.users`;
      const by = (reason: string) => [
        `onOpen of the change stream on ${source}: ${reason}`,
        ...Array<string>(3).fill(`a subscriber of the change stream on ${source}: ${reason}`),
      ];
      expect(told.sort()).toEqual([...by('thrown'), ...by('rejected')].sort());
    },
  );

  it('gives each subscriber of a shared stream changes of its own', async () => {
    const seen: Change[] = [];
    const open = (alter: (change: Change) => void) =>
      new Promise<void>((resolve) => {
        users.watch$({ share: true, onOpen: resolve }).subscribe((change) => {
          seen.push(structuredClone({ ...change, _id: undefined, documentKey: undefined }) as never);
          alter(change as Change);
        });
      });
    const alter = (change: Record<string, unknown>) => {
      change['operationType'] = 'altered';
      const { name } = change['fullDocument'] as User;
      Object.assign(change['fullDocument'] as User, { name: `altered ${name}` });
    };
    await Promise.all([open(alter as never), open(alter as never), open(alter as never)]);
    await users.create({ name: 'a' });
    await waitFor(() => seen.length === 3);
    for (const change of seen) {
      expect(change).toMatchObject({ operationType: 'insert', fullDocument: { name: 'a' } });
    }
  });

  it.each([false, true])(
    'tells onDbError of a handler of the end that throws or rejects, and of an error nobody handles (share: %p)',
    async (share) => {
      const told: string[] = [];
      polymongo.onDbError((error, { during }) => told.push(`${during}: ${(error as Error).message}`));
      const fail = [
        () => {
          throw new Error('thrown');
        },
        () => Promise.reject(new Error('rejected')),
      ];
      const open = (watched: WatchOptions, observer: object) =>
        new Promise<void>((resolve) => {
          users.watch$({ share, ...watched, onOpen: resolve }).subscribe(observer);
        });
      await Promise.all(fail.map((complete) => open({}, { complete })));
      await polymongo.actions.closeAllWatches();
      const never = () => new Promise(() => {});
      for (const error of [...fail, undefined]) await open({ bufferSize: 1 }, { next: never, error });
      for (const name of ['a', 'b', 'c']) await users.create({ name });
      await waitFor(() => told.length === 5);
      const during = `a subscriber of the change stream on ${polymongo.options.defaultDB}.users`;
      expect(told.sort()).toEqual([
        expect.stringContaining('is more than 1 changes behind'),
        ...['rejected', 'rejected', 'thrown', 'thrown'].map((reason) => `${during}: ${reason}`),
      ]);
    },
  );

  it('processes changes before it emits them, retries, and fails with the handler', async () => {
    const seen: string[] = [];
    const changes = await follow((options) => users.watch$(options), {
      retry: { attempts: 2, delayMS: 1 },
      process: async (change) => {
        const { name } = (change as { fullDocument: User }).fullDocument;
        seen.push(name);
        if (name === 'flaky' && seen.filter((s) => s === name).length === 1) throw new Error('once');
        if (name === 'bad') throw new Error('always');
      },
    });
    for (const name of ['a', 'flaky', 'bad', 'never']) await users.create({ name });
    await changes.fails();
    expect(seen).toEqual(['a', 'flaky', 'flaky', 'bad', 'bad']);
    expect(changes.names).toEqual(['a', 'flaky']);
    expect(String(changes.state.error)).toContain('always');
  });

  it('goes on after the last processed change with a token store, from the beginning of the watch', async () => {
    const tokenStore = new MemoryTokenStore();
    const first = await follow((options) => users.watch$(options), { tokenStore, process: () => {} });
    first.subscription.unsubscribe();
    await users.create({ name: 'while away' });
    const second = await follow((options) => users.watch$(options), { tokenStore, process: () => {} });
    await second.receives(1);
    second.subscription.unsubscribe();
    await users.create({ name: 'again' });
    const third = await follow((options) => users.watch$(options), { tokenStore, process: () => {} });
    await third.receives(1);
    expect([second.names, third.names]).toEqual([['while away'], ['again']]);
  });

  it('refuses a token store it could not keep up to date, and unknown options', async () => {
    await expect(follow((o) => users.watch$(o), { tokenStore: new MemoryTokenStore() })).rejects.toThrow(
      PolyMongoOptionsError,
    );
    expect(() => users.watch$({ buffersize: 3 } as never)).toThrow(/buffersize/);
  });

  it('tells why it ends when the collection is dropped, and goes on with its successor', async () => {
    const changes = await follow((options) => users.watch$(options));
    await users.collection.drop();
    await changes.fails();
    expect(changes.names).toEqual(['drop', 'invalidate']);
    const error = changes.state.error as ChangeStreamInvalidatedError;
    expect(error).toBeInstanceOf(ChangeStreamInvalidatedError);
    await users.create({ name: 'reborn' });
    const next = await follow((options) => users.watch$(options), { startAfter: error.resumeToken });
    await next.receives(1);
    expect(next.names).toEqual(['reborn']);
  });

  it('completes those of a database with closeDBstream, all with closeAllWatches', async () => {
    const here = await follow((options) => users.watch$(options));
    const there = await follow((options) => users.db(other()).watch$(options));
    const mongooses = users.db(other()).watch();
    await new Promise((resolve) => mongooses.once('ready', resolve));
    const closed = new Promise((resolve) => mongooses.once('close', resolve));
    expect(polymongo.watch.openStreams).toBe(3);
    await polymongo.actions.closeDBstream(other());
    expect(polymongo.watch.openStreams).toBe(1);
    await Promise.all([there.completes(), closed]);
    expect(here.state.isComplete).toBe(false);
    await polymongo.actions.closeAllWatches();
    await here.completes();
    expect(polymongo.watch.openStreams).toBe(0);
  });

  it("gives mongoose's own stream with watch(), in the books until it is closed", async () => {
    const stream = users.db(other()).watch();
    const change = new Promise((resolve) => stream.once('change', resolve));
    await new Promise((resolve) => stream.once('ready', resolve));
    await waitFor(async () => (await cursors()) === 1);
    await users.db(other()).create({ name: 'a' });
    expect(await change).toMatchObject({ operationType: 'insert', fullDocument: { name: 'a' } });
    expect(polymongo.watch.openStreams).toBe(1);
    await stream.close();
    expect(polymongo.watch.openStreams).toBe(0);
    expect(polymongo.pools.primary.leaseCount).toBe(0);
  });

  it('completes before connections close at shutdown, when the change in hand is handled', async () => {
    let isHandled = false;
    const changes = await follow((options) => users.watch$(options), {
      process: async () => {
        await waitFor(() => polymongo.isShuttingDown);
        isHandled = (await users.countDocuments()) > 0;
      },
    });
    const held = follow((options) => users.watch$(options));
    await (await held).receives(0);
    await users.create({ name: 'a' });
    await (await held).receives(1);
    await polymongo.actions.closeAll();
    expect([isHandled, changes.state.isComplete]).toEqual([true, true]);
  });

  it('leaves nothing after 1000 subscriptions', async () => {
    const client = users.db.getClient();
    const listeners = () => client.eventNames().reduce((sum, name) => sum + client.listenerCount(name), 0);
    const before = listeners();
    const cycle = async () => (await follow((options) => users.watch$(options))).subscription.unsubscribe();
    for (let i = 0; i < 200; i++) await Promise.all([cycle(), cycle(), cycle(), cycle(), cycle()]);
    await untilNoCursor();
    await waitFor(() => polymongo.pools.primary.leaseCount === 0);
    expect(polymongo.watch.openStreams).toBe(0);
    expect(listeners()).toBe(before);
  }, 120_000);
});
