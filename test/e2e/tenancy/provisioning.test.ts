import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import {
  PolyMongoOptionsError,
  PolyMongoWrapper,
  TenantBusyError,
  TenantTakenOverError,
  TenantConfirmationError,
  TenantTaskError,
  TenantUnknownError,
  type PolyModelOf,
  type PolyMongoOptions,
  type TenantOptions,
} from 'nestjs-polymongo';
import { deferred } from '../../support/deferred.js';
import { NoteSchema } from '../../support/notes.js';
import { uniqueName } from '../../support/database-names.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

type NoteModel = mongoose.Model<{ tenant: string; text?: string }>;

let server: TestServer;
let prefix: string;
let processes: PolyMongoWrapper[];

/** A wrapper as another process would have it. */
function startProcess(tenant: TenantOptions = {}, options: Partial<PolyMongoOptions> = {}): PolyMongoWrapper {
  const polymongo = new PolyMongoWrapper({
    mongoURI: server.uri,
    defaultDB: `${prefix}_default`,
    tenant: { database: (id) => `${prefix}_t_${id}`, ...tenant },
    ...options,
  });
  polymongo.wrapModel(polymongo.models.define({ name: 'Note', schema: NoteSchema }));
  const indexed = new mongoose.Schema({ email: { type: String, unique: true } });
  polymongo.wrapModel(polymongo.models.define({ name: 'Member', schema: indexed }));
  processes.push(polymongo);
  return polymongo;
}
const notesOf = (polymongo: PolyMongoWrapper) =>
  polymongo.wrapModel(polymongo.models.blueprint('Note')) as unknown as PolyModelOf<NoteModel>;

beforeEach(async () => {
  server = await startTestServer();
  prefix = uniqueName('p');
  processes = [];
});
afterEach(async () => {
  const [first] = processes;
  for (const name of (await first?.tenants.list().catch(() => [])) ?? []) {
    await first!.tenants.deprovision(name, { confirm: name });
  }
  await Promise.all(processes.map((polymongo) => polymongo.actions.forceCloseAll()));
  await server.stop();
});

describe('provision', () => {
  it('makes the collections, the indexes and the seeds, and tells it', async () => {
    const polymongo = startProcess({
      seed: (tenant, connection) => connection.model('Note').create({ tenant, text: 'welcome' }),
    });
    const events: object[] = [];
    polymongo.tenants.onProvisioned((event) => events.push(event));
    expect(await polymongo.tenants.provision('acme')).toEqual({
      tenantId: 'acme',
      database: `${prefix}_t_acme`,
      isNew: true,
    });
    const { db } = polymongo.pools.connectionOf(`${prefix}_t_acme`);
    expect((await db!.listCollections().toArray()).map(({ name }) => name).sort()).toEqual(['members', 'notes']);
    expect(await db!.collection('members').indexes()).toContainEqual(
      expect.objectContaining({ key: { email: 1 }, unique: true }),
    );
    expect(await db!.collection('notes').countDocuments({ text: 'welcome' })).toBe(1);
    expect(events).toEqual([{ tenantId: 'acme', db: `${prefix}_t_acme`, isNew: true }]);
  });

  it('seeds once, when several processes do it at once and when it is done again', async () => {
    let seeded = 0;
    const seed = async () => {
      seeded++;
      await new Promise((resolve) => setTimeout(resolve, 50));
    };
    const all = [startProcess({ seed }), startProcess({ seed }), startProcess({ seed })];
    const results = await Promise.all(all.map(({ tenants }) => tenants.provision('acme')));
    expect(results.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect((await all[0]!.tenants.provision('acme')).isNew).toBe(false);
    expect(seeded).toBe(1);
  });

  it('seeds again after a seed that failed', async () => {
    let tries = 0;
    const polymongo = startProcess({
      exists: 'provisioned',
      seed: () => {
        if (++tries === 1) throw new Error('no disk');
      },
    });
    await expect(polymongo.tenants.provision('acme')).rejects.toThrow('no disk');
    await expect(polymongo.tenants.run('acme', () => 1)).rejects.toThrow(TenantUnknownError);
    expect((await polymongo.tenants.provision('acme')).isNew).toBe(true);
    expect(await polymongo.tenants.run('acme', () => 1)).toBe(1);
  });

  it('fails with what its work failed with, also when the tenant cannot be given back after it', async () => {
    const polymongo = startProcess({
      seed: () => {
        void polymongo.actions.forceCloseAll();
        throw new Error('no disk');
      },
    });
    await expect(polymongo.tenants.provision('acme')).rejects.toThrow('no disk');
  });

  it('gives up on a tenant that another process holds', async () => {
    const release = deferred();
    const begun = deferred();
    const slow = startProcess({
      seed: () => {
        begun.resolve();
        return release.promise;
      },
    });
    const provisioning = slow.tenants.provision('acme');
    await begun.promise;
    const other = startProcess();
    await expect(other.tenants.provision('acme', { timeoutMS: 150 })).rejects.toThrow(TenantBusyError);
    release.resolve();
    await provisioning;
  });

  it('says when another process has taken the tenant over, as one does that hears nothing for 30 s', async () => {
    const release = deferred();
    const begun = deferred();
    const suspended = startProcess({
      seed: () => {
        begun.resolve();
        return release.promise;
      },
    });
    const provisioning = suspended.tenants.provision('acme');
    await begun.promise;
    const records = suspended.pools.connectionOf(`${prefix}_default`).collection<{ _id: string }>('polymongo_tenants');
    await records.updateOne({ _id: 'acme' }, [{ $set: { ownedUntil: { $subtract: ['$$NOW', 1] } } }]);
    expect((await startProcess().tenants.provision('acme')).isNew).toBe(true);
    release.resolve();
    await expect(provisioning).rejects.toThrow(TenantTakenOverError);
    expect(await suspended.tenants.list()).toEqual(['acme']);
  });
});

describe('deprovision', () => {
  it('wants the id once more', async () => {
    const { tenants } = startProcess();
    await tenants.provision('acme');
    await expect(tenants.deprovision('acme')).rejects.toThrow(TenantConfirmationError);
    await expect(tenants.deprovision('acme', { confirm: 'globex' })).rejects.toThrow(TenantConfirmationError);
    expect(await tenants.list()).toEqual(['acme']);
  });

  it('drops the database, closes its pool, and locks the tenant out', async () => {
    const polymongo = startProcess({ exists: 'provisioned', connection: () => ({ options: { maxConnections: 2 } }) });
    const { tenants } = polymongo;
    await tenants.provision('acme');
    await tenants.run('acme', () => notesOf(polymongo).tenant().create({ tenant: 'acme' }));
    const dropped: object[] = [];
    tenants.onDeprovisioned((event) => dropped.push(event));
    await tenants.deprovision('acme', { confirm: 'acme' });
    expect(dropped).toEqual([{ tenantId: 'acme', db: `${prefix}_t_acme` }]);
    expect(polymongo.pools.poolOf(`${prefix}_t_acme`).state).toBe('closed');
    expect(await tenants.list()).toEqual([]);
    await expect(tenants.run('acme', () => notesOf(polymongo).tenant().find())).rejects.toThrow(TenantUnknownError);
    expect((await tenants.provision('acme')).isNew).toBe(true);
    expect(await tenants.run('acme', () => notesOf(polymongo).tenant().countDocuments())).toBe(0);
  });
});

describe('list', () => {
  it('gives the provisioned tenants and those who have a database already', async () => {
    const polymongo = startProcess();
    await polymongo.tenants.provision('beta');
    await polymongo.tenants.run('alpha', () => notesOf(polymongo).tenant().create({ tenant: 'alpha' }));
    await notesOf(polymongo).create({ tenant: 'none' });
    expect(await polymongo.tenants.list()).toEqual(['alpha', 'beta']);
  });
});

describe('forEach', () => {
  const tenants = ['a', 'b', 'c', 'd', 'e', 'f'];

  it('runs as each tenant, so many at a time, and gives each result', async () => {
    const polymongo = startProcess();
    let running = 0;
    let most = 0;
    const progress: number[] = [];
    const results = await polymongo.tenants.forEach(
      async (tenant) => {
        most = Math.max(most, ++running);
        await notesOf(polymongo).tenant().create({ tenant });
        running--;
        return polymongo.tenantContext.current();
      },
      { tenants, concurrency: 2, onProgress: ({ done }) => progress.push(done) },
    );
    expect(results.map((result) => result.ok && [result.tenantId, result.value]).sort()).toEqual(
      tenants.map((tenant) => [tenant, tenant]),
    );
    expect(most).toBe(2);
    expect(progress).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await polymongo.tenants.list()).toEqual(tenants);
  });

  it('stops at the first error, after what has begun', async () => {
    const polymongo = startProcess();
    const begun: string[] = [];
    const work = polymongo.tenants.forEach(
      (tenant) => {
        begun.push(tenant);
        if (tenant === 'b') throw new Error('broken');
      },
      { tenants, concurrency: 1 },
    );
    await expect(work).rejects.toThrow(TenantTaskError);
    await expect(work).rejects.toMatchObject({ tenantId: 'b', finished: 1, total: 6, cause: { message: 'broken' } });
    expect(begun).toEqual(['a', 'b']);
  });

  it('collects errors as results', async () => {
    const polymongo = startProcess();
    const results = await polymongo.tenants.forEach(
      (tenant) => {
        if (tenant === 'b') throw new Error('broken');
      },
      { tenants: [...tenants, 'NOT VALID'], onError: 'collect' },
    );
    expect(results.filter(({ ok }) => !ok).map(({ tenantId }) => tenantId)).toEqual(['b', 'NOT VALID']);
    expect(results).toHaveLength(7);
  });

  it('can be aborted: running tasks hear of it, no other begins', async () => {
    const polymongo = startProcess();
    const stop = new AbortController();
    const begun: string[] = [];
    const work = polymongo.tenants.forEach(
      (tenant, { signal }) => {
        begun.push(tenant);
        if (begun.length === 2) setImmediate(() => stop.abort(new Error('enough')));
        return new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
      { tenants, concurrency: 2, signal: stop.signal },
    );
    await expect(work).rejects.toThrow('enough');
    expect(begun).toEqual(['a', 'b']);
  });

  it('is an AsyncIterable and an Observable, and ends when its reader leaves', async () => {
    const polymongo = startProcess();
    const begun: string[] = [];
    const task = (tenant: string) => void begun.push(tenant);
    for await (const { done, total } of polymongo.tenants.iterate(task, { tenants, concurrency: 1 })) {
      expect(total).toBe(6);
      if (done === 2) break;
    }
    expect(begun.length).toBeLessThanOrEqual(3);
    const all = await lastValueFrom(polymongo.tenants.observe(task, { tenants }).pipe(toArray()));
    expect(all.map(({ tenantId }) => tenantId).sort()).toEqual(tenants);
    begun.length = 0;
    await firstValueFrom(polymongo.tenants.observe(task, { tenants, concurrency: 1 }).pipe(take(1)));
    expect(begun.length).toBeLessThanOrEqual(2);
  });

  it('visits each tenant once, however often it is named', async () => {
    const polymongo = startProcess();
    const begun: string[] = [];
    const options = { tenants: ['a', 'a', 'b', 'a'], concurrency: 4 };
    const results = await polymongo.tenants.forEach((tenant) => begun.push(tenant), options);
    expect(begun).toEqual(['a', 'b']);
    expect(results).toHaveLength(2);
    expect(results[1]).toMatchObject({ done: 2, total: 2 });
  });

  it.each([NaN, 0, -1, 1.5, '4', null])('refuses a concurrency of %p, before anything begins', async (concurrency) => {
    const { tenants: all } = startProcess();
    const options = { tenants, concurrency: concurrency as number };
    let begun = 0;
    await expect(all.forEach(() => begun++, options)).rejects.toThrow(PolyMongoOptionsError);
    expect(() => all.iterate(() => begun++, options)).toThrow(/forEach.concurrency/);
    await expect(lastValueFrom(all.observe(() => begun++, options))).rejects.toThrow(PolyMongoOptionsError);
    expect(begun).toBe(0);
    expect(await all.forEach(() => begun++, { tenants, concurrency: Infinity })).toHaveLength(6);
  });

  it('has as many at a time as their own pools fit into the budget, whatever the size of the primary one', async () => {
    const sizes: Record<string, number> = { big: 6, s1: 1, s2: 1, s3: 1, s4: 1, shared: 0 };
    const polymongo = startProcess(
      { connection: (id) => (sizes[id] ? { options: { maxConnections: sizes[id] } } : undefined) },
      { maxPoolSize: 4, maxTotalConnections: 10 },
    );
    const running = new Map<string, number>();
    let most = 0;
    const small = deferred();
    await polymongo.tenants.forEach(
      async (tenant) => {
        running.set(tenant, sizes[tenant]!);
        most = Math.max(
          most,
          [...running.values()].reduce((sum, size) => sum + size, 0),
        );
        await notesOf(polymongo).tenant().create({ tenant });
        if (running.size === 5) small.resolve();
        if (tenant !== 'big') await small.promise;
        running.delete(tenant);
      },
      { tenants: Object.keys(sizes), concurrency: 6 },
    );
    expect(most).toBe(6);
  });

  it('with a pool for each tenant never has more sockets than the budget', async () => {
    const polymongo = new PolyMongoWrapper({
      mongoURI: server.uri,
      defaultDB: `${prefix}_default`,
      maxPoolSize: 2,
      maxTotalConnections: 6,
      tenant: { database: (id) => `${prefix}_t_${id}`, connection: () => ({}) },
    });
    polymongo.wrapModel(polymongo.models.define({ name: 'Note', schema: NoteSchema }));
    processes.push(polymongo);
    let most = 0;
    await polymongo.tenants.forEach(
      async (tenant) => {
        await notesOf(polymongo).tenant().create({ tenant });
        most = Math.max(most, polymongo.pools.budget.used);
      },
      { tenants, concurrency: 6 },
    );
    expect(most).toBeLessThanOrEqual(6);
    expect(await polymongo.tenants.list()).toEqual(tenants);
  });
});
