import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryTokenStore, type PolyMongoWrapper } from 'nestjs-polymongo';
import { deferred } from '../../support/deferred.js';
import { TenantProcesses } from '../../support/tenant-processes.js';
import { waitFor } from '../../support/wait-for.js';

/** What an application keeps of a request: its id, say. */
const request = new AsyncLocalStorage<string>();

let processes: TenantProcesses;
let polymongo: PolyMongoWrapper;
let seen: unknown[];

beforeEach(async () => {
  processes = await TenantProcesses.start();
  polymongo = processes.add();
  seen = [];
  await processes.notesOf(polymongo).create({ tenant: 'none' });
});
afterEach(() => processes.stop());

const look = (): void => {
  const { session } = polymongo.transactions;
  seen.push([request.getStore(), polymongo.tenantContext.current(), session && 'in a transaction']);
};
const as = <T>(name: string, tenant: string, fn: () => T): T =>
  request.run(name, () => polymongo.tenantContext.run(tenant, fn));
/** Who subscribes, inside a transaction that will be over when it is called. */
const subscribing = async <T>(fn: () => T): Promise<T> => {
  let result: T;
  await as('subscriber', 'acme', () =>
    polymongo.transaction(() => {
      result = fn();
    }),
  );
  return result!;
};
const causing = <T>(fn: () => T): T => as('other', 'globex', fn);
const SUBSCRIBER = ['subscriber', 'acme', undefined];
const NOBODY = [undefined, undefined, undefined];
const expectOnly = async (context: unknown[]) => {
  await waitFor(() => seen.length > 0);
  expect(new Set(seen.map((each) => JSON.stringify(each)))).toEqual(new Set([JSON.stringify(context)]));
};

describe('a subscriber is called in the context it subscribed in', () => {
  it('of a shared stream, whoever opened it and whoever comes with it', async () => {
    const notes = processes.notesOf(polymongo);
    const open = [deferred(), deferred()];
    const others: unknown[] = [];
    const first = causing(() =>
      notes.watch$({ share: true, onOpen: open[0]!.resolve }).subscribe(() => others.push(request.getStore())),
    );
    await open[0]!.promise;
    const second = await subscribing(() =>
      notes.watch$({ share: true, onOpen: () => (look(), open[1]!.resolve()) }).subscribe({ next: look }),
    );
    await open[1]!.promise;
    await request.run('writer', () => notes.create({ tenant: 'none' }));
    await waitFor(() => others.length === 1 && seen.length === 2);
    await expectOnly(SUBSCRIBER);
    expect(others).toEqual(['other']);
    first.unsubscribe();
    second.unsubscribe();
  });

  it('of a stream of its own that ends, and of one that processes', async () => {
    const notes = processes.notesOf(polymongo);
    const open = [deferred(), deferred()];
    await subscribing(() => notes.watch$({ onOpen: open[0]!.resolve }).subscribe({ next: look, complete: look }));
    await subscribing(() => notes.watch$({ onOpen: open[1]!.resolve, process: look }).subscribe({ complete: look }));
    await Promise.all(open.map(({ promise }) => promise));
    await causing(() => notes.create({ tenant: 'none' }));
    await waitFor(() => seen.length === 2);
    await causing(() => polymongo.actions.closeAllWatches());
    await waitFor(() => seen.length === 4);
    await expectOnly(SUBSCRIBER);
  });

  it('of a shared stream that fails, whoever opened it', async () => {
    const notes = processes.notesOf(polymongo);
    const open = [deferred(), deferred()];
    const others: unknown[] = [];
    const failing = (onOpen: () => void) =>
      notes.watch$({
        share: true,
        onOpen,
        pipeline: [{ $addFields: { no: { $divide: ['$fullDocument.tenant', 1] } } }],
      });
    causing(() => failing(open[0]!.resolve).subscribe({ error: () => others.push(request.getStore()) }));
    await open[0]!.promise;
    await subscribing(() => failing(open[1]!.resolve).subscribe({ error: look }));
    await open[1]!.promise;
    await request.run('writer', () => notes.create({ tenant: 'no number' }));
    await waitFor(() => others.length === 1 && seen.length === 1);
    await expectOnly(SUBSCRIBER);
    expect(others).toEqual(['other']);
  });

  it('as a token store', async () => {
    const store = new MemoryTokenStore();
    const tokenStore = {
      load: async (key: string) => (look(), store.load(key)),
      save: async (key: string, token: unknown) => (look(), store.save(key, token)),
      delete: async () => {},
    };
    const open = deferred();
    const changes = processes.notesOf(polymongo).watch$({ tokenStore, onOpen: open.resolve });
    const iterator = await subscribing(() => changes[Symbol.asyncIterator]());
    const next = causing(() => iterator.next());
    await open.promise;
    await processes.notesOf(polymongo).create({ tenant: 'none' });
    await next;
    const last = causing(() => iterator.next());
    await waitFor(() => seen.length >= 3); // loaded, saved when opened, saved after the first change
    await iterator.return!();
    await last;
    await expectOnly(SUBSCRIBER);
  });

  it('of progress$, and as onProgress and transform of a stream that somebody else reads', async () => {
    const subscription = await subscribing(() => polymongo.bulkTasks.progress$.subscribe(look));
    const stream = as('subscriber', 'acme', () =>
      polymongo.bulkTasks.exportStream(`${processes.prefix}_default`, {
        onProgress: look,
        transform: (document) => (look(), document),
      }),
    );
    await causing(async () => {
      for await (const _ of stream);
    });
    await causing(() => polymongo.bulkTasks.export(`${processes.prefix}_default`));
    await expectOnly(SUBSCRIBER);
    expect(seen.length).toBeGreaterThanOrEqual(4);
    subscription.unsubscribe();
  });

  it('of stats.general$', async () => {
    const subscription = await subscribing(() => polymongo.stats.general$(0).subscribe(look));
    await causing(() => polymongo.scale.connectDB(`${processes.prefix}_own`));
    await waitFor(() => seen.length > 1);
    await expectOnly(SUBSCRIBER);
    subscription.unsubscribe();
  });

  it('of onProvisioned and onDeprovisioned', async () => {
    await subscribing(() => {
      polymongo.tenants.onProvisioned(look);
      polymongo.tenants.onDeprovisioned(look);
    });
    await request.run('other', () => polymongo.tenants.provision('initech'));
    await request.run('other', () => polymongo.tenants.deprovision('initech', { confirm: 'initech' }));
    await waitFor(() => seen.length === 2);
    await expectOnly(SUBSCRIBER);
  });

  it('as a hook, of whatever moment', async () => {
    const name = `${processes.prefix}_hooked`;
    await subscribing(() => {
      polymongo.onDbConnect(look);
      polymongo.onTheseDBConnect(name, look);
      polymongo.onDbDisconnect(look);
      polymongo.onTheseDBDisconnect([name], () => {
        look();
        throw new Error('broken');
      });
      polymongo.onDbError(look);
      polymongo.onTheseDBError([name], look);
    });
    await causing(() => polymongo.scale.connectDB(name));
    await waitFor(() => seen.length === 2);
    await causing(() => polymongo.pools.disconnect(name, 'test'));
    await waitFor(() => seen.length === 6);
    await expectOnly(SUBSCRIBER);
  });

  it('of a connection’s events; and listeners are taken off as ever', async () => {
    const name = `${processes.prefix}_events`;
    const connection = polymongo.pools.connectionOf(name);
    const off = () => seen.push('taken off');
    await subscribing(() => {
      connection.on('connected', look);
      connection.once('connected', look);
      connection.prependListener('disconnected', look);
      connection.on('connected', off).once('connected', off);
      connection.off('connected', off).removeListener('connected', off);
    });
    expect(connection.listeners('connected')).toEqual([look, look]);
    for (let time = 0; time < 2; time++) {
      await causing(() => polymongo.scale.connectDB(name));
      await causing(() => polymongo.pools.disconnect(name, 'test'));
    }
    await waitFor(() => seen.length === 5); // on twice, once once, disconnected twice
    await expectOnly(SUBSCRIBER);
    connection.removeAllListeners();
    expect(connection.listenerCount('connected')).toBe(0);
  });
});

describe('an async onProgress that rejects', () => {
  it('is told to onDbError, and neither the task nor the process ends', async () => {
    const failures: string[] = [];
    const takeBack = polymongo.onDbError((_, { during }) => failures.push(during));
    const onProgress = async () => {
      throw new Error('no progress for you');
    };
    await polymongo.bulkTasks.export(`${processes.prefix}_progress`, { onProgress });
    await polymongo.tenants.forEach(async () => {}, { tenants: ['acme'], onProgress });
    await waitFor(() => failures.length >= 2);
    expect(new Set(failures)).toEqual(new Set(['onProgress']));
    takeBack();
  });
});

describe('nobody’s context', () => {
  it('is that of onConnectionCreate', async () => {
    const created = processes.add({}, { onConnectionCreate: () => look() });
    await causing(() => created.wrapModel(created.models.blueprint('Note')).countDocuments().exec());
    await expectOnly(NOBODY);
  });
});
