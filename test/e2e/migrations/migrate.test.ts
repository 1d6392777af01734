import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lastValueFrom, toArray } from 'rxjs';
import {
  MigrationDefinitionError,
  MigrationFailedError,
  MigrationHalfDoneError,
  MigrationIrreversibleError,
  MigrationsMissingError,
  MigrationUnknownError,
  PolyMongoOptionsError,
  PolyMongoWrapper,
} from 'nestjs-polymongo';
import { causeOf, MigratingProcesses, migration, noting } from './migrations.fixture.js';

let processes: MigratingProcesses;
beforeEach(async () => (processes = await MigratingProcesses.start()));
afterEach(() => processes.stop());

describe('migrate', () => {
  const tenants = ['acme', 'globex'];

  it('runs what has not run, of each tenant in order, and writes it down in its database', async () => {
    const first = await processes.add([noting('0002-b'), noting('0001-a')]);
    const results = await first.tenants.migrate({ tenants });
    expect(results.map(({ tenantId, ok }) => [tenantId, ok]).sort()).toEqual([
      ['acme', true],
      ['globex', true],
    ]);
    const later = await processes.add([noting('0001-a'), noting('0002-b'), noting('0003-c')]);
    const [again] = await later.tenants.migrate({ tenants: ['acme'] });
    expect(again).toMatchObject({ value: { version: '0003-c', steps: [{ migration: '0003-c', kind: 'up' }] } });
    expect(await processes.notes('acme')).toEqual(['0001-a', '0002-b', '0003-c']);
    expect(await processes.notes('globex')).toEqual(['0001-a', '0002-b']);
    const status = await later.migrations.statusOf('globex');
    expect(status).toMatchObject({ version: '0002-b', pending: ['0003-c'], ahead: [], isRunning: false });
    expect(status.records['0001-a']).toEqual({
      state: 'done',
      direction: 'up',
      checksum: expect.any(String),
      at: expect.any(Date),
      durationMS: expect.any(Number),
      epoch: 1,
    });
    expect((await first.migrations.statusOf('acme')).ahead).toEqual(['0003-c']);
  });

  it('writes nothing where there is nothing to do, and with `dryRun`', async () => {
    const { tenants: all } = await processes.add([noting('0001-a')]);
    const [planned] = await all.migrate({ tenants: ['acme'], dryRun: true });
    expect(planned).toMatchObject({ value: { version: undefined, steps: [{ migration: '0001-a', kind: 'up' }] } });
    expect(await processes.db('acme').listCollections().toArray()).toEqual([]);
    await all.migrate({ tenants: ['acme'] });
    const state = () => processes.db('acme').collection('polymongo_migrations').find().toArray();
    const before = await state();
    expect(await all.migrate({ tenants: ['acme'] })).toMatchObject([{ value: { version: '0001-a', steps: [] } }]);
    expect(await state()).toEqual(before);
  });

  it('is a promise, an AsyncIterable and an Observable, and begins with each of them', async () => {
    const { tenants: all } = await processes.add([noting('0001-a')]);
    const run = all.migrate({ tenants });
    expect(await lastValueFrom(run.pipe(toArray()))).toHaveLength(2);
    const seen: number[] = [];
    for await (const { done, total } of run) seen.push(done / total);
    expect(seen).toEqual([0.5, 1]);
    expect(await run).toHaveLength(2);
    expect(await run).toBe(await run);
    expect(await processes.notes('acme')).toEqual(['0001-a']);
  });

  it('stops at the first error, or collects them', async () => {
    const fails = migration('0001-a', ({ tenant }) => {
      if (tenant === 'acme') throw new Error('no');
    });
    const { tenants: all } = await processes.add([fails, noting('0002-b')]);
    const stopped = await causeOf(all.migrate({ tenants, concurrency: 1 }));
    expect(stopped).toBeInstanceOf(MigrationFailedError);
    expect(stopped).toMatchObject({ tenantId: 'acme', migration: '0001-a', direction: 'up', isHalfDone: false });
    expect(await processes.notes('globex')).toEqual([]);
    const results = await all.migrate({ tenants, onError: 'collect' });
    expect(results.filter(({ ok }) => !ok)).toMatchObject([{ tenantId: 'acme' }]);
    expect(await processes.notes('globex')).toEqual(['0002-b']);
  });

  it('refuses wrong options at once, and names that there are not', async () => {
    const { tenants: all } = await processes.add([noting('0001-a')]);
    expect(() => all.migrate({ to: 7 as never })).toThrow(PolyMongoOptionsError);
    expect(() => all.migrate({ concurrency: 0 })).toThrow(PolyMongoOptionsError);
    expect(() => all.migrate({ only: ['0009-x'] })).toThrow(MigrationUnknownError);
    const without = new PolyMongoWrapper({ mongoURI: processes.server.uri, handleSignals: false });
    expect(() => without.tenants.migrate()).toThrow(MigrationsMissingError);
    await expect(without.useMigrations({ lockMS: 1 })).rejects.toThrow(PolyMongoOptionsError);
    await expect(without.useMigrations({ classes: [class {} as never] })).rejects.toThrow(MigrationDefinitionError);
    await without.actions.closeAll();
  });

  it('is told to end by the signal, and goes on where it was', async () => {
    const stop = new AbortController();
    const stops = migration('0002-b', ({ signal }) => {
      stop.abort(new Error('enough'));
      expect(signal.aborted).toBe(true);
    });
    const { tenants: all } = await processes.add([noting('0001-a'), stops, noting('0003-c')]);
    await expect(all.migrate({ tenants: ['acme'], signal: stop.signal })).rejects.toThrow('enough');
    expect(await processes.notes('acme')).toEqual(['0001-a']);
    await all.migrate({ tenants: ['acme'], only: ['3'] });
    expect(await processes.notes('acme')).toEqual(['0001-a', '0003-c']);
  });
});

describe('a transactional migration', () => {
  it('is there whole or not at all, whatever it writes by, and runs again', async () => {
    let isBroken = true;
    const writes = migration('0001-a', async ({ db, model, session }) => {
      await db.collection('notes').insertOne({ text: 'by db' });
      await model('Member').create([{ email: 'a@b.c' }]);
      await db.collection('notes').insertOne({ text: 'by session' }, { session });
      expect(await db.collection('notes').find().toArray()).toHaveLength(2);
      if (isBroken) throw new Error('mongodb://me:secret@host is down');
    });
    const { tenants, migrations } = await processes.add([writes]);
    expect(await causeOf(tenants.migrate({ tenants: ['acme'] }))).toBeInstanceOf(MigrationFailedError);
    expect(await processes.notes('acme')).toEqual([]);
    expect(await processes.db('acme').collection('members').countDocuments()).toBe(0);
    const { records } = await migrations.statusOf('acme');
    expect(records['0001-a']).toMatchObject({ state: 'failed', error: expect.stringContaining('is down') });
    expect(records['0001-a']!.error).not.toContain('secret');
    isBroken = false;
    await tenants.migrate({ tenants: ['acme'] });
    expect(await processes.notes('acme')).toEqual(['by db', 'by session']);
    expect((await migrations.statusOf('acme')).version).toBe('0001-a');
  });

  it('makes no index of a model before it, which its data may contradict', async () => {
    const dedupes = migration('0001-a', async ({ db }) => {
      const [first] = await db.collection('members').find().toArray();
      await db.collection('members').deleteMany({ _id: { $ne: first!._id } });
    });
    const { tenants } = await processes.add([dedupes]);
    await processes
      .db('acme')
      .collection('members')
      .insertMany([{ email: 'same' }, { email: 'same' }]);
    await tenants.migrate({ tenants: ['acme'] });
    expect(await processes.db('acme').collection('members').countDocuments()).toBe(1);
  });
});

describe('a migration without a transaction', () => {
  const traits = { isTransactional: false };

  it('is half-done where it failed, and never runs again unasked', async () => {
    let runs = 0;
    const half = migration(
      '0001-a',
      async ({ db, session }) => {
        expect(session).toBeUndefined();
        await db.collection('notes').insertOne({ text: `run ${++runs}` });
        if (runs === 1) throw new Error('no');
      },
      traits,
    );
    const { tenants, migrations } = await processes.add([half, noting('0002-b')]);
    const options = { tenants: ['acme'] };
    expect(await causeOf(tenants.migrate(options))).toMatchObject({ isHalfDone: true });
    const refused = await causeOf(tenants.migrate(options));
    expect(refused).toBeInstanceOf(MigrationHalfDoneError);
    expect(refused).toMatchObject({ tenantId: 'acme', migration: '0001-a', direction: 'up', reason: 'no' });
    expect(await processes.notes('acme')).toEqual(['run 1']);
    await migrations.redo('1', options);
    await tenants.migrate(options);
    expect(await processes.notes('acme')).toEqual(['run 1', 'run 2', '0002-b']);
  });

  it('can be marked as done or undone by hand', async () => {
    const half = migration('0001-a', () => Promise.reject(new Error('no')), traits);
    const { tenants, migrations } = await processes.add([half, noting('0002-b')]);
    const options = { tenants: ['acme'] };
    await causeOf(tenants.migrate(options));
    await migrations.mark('0001-a', 'done', options);
    await tenants.migrate(options);
    expect(await migrations.statusOf('acme')).toMatchObject({
      version: '0002-b',
      records: { '0001-a': { state: 'done', isStamped: true } },
    });
    await migrations.mark('0001-a', 'undone', options);
    expect((await migrations.statusOf('acme')).pending).toEqual(['0001-a']);
  });
});

describe('down', () => {
  it('takes back the last one, or all after `to`', async () => {
    const { tenants, migrations } = await processes.add([
      noting('0001-a'),
      noting('0002-b', { isTransactional: false }),
      noting('0003-c'),
    ]);
    const options = { tenants: ['acme'] };
    await tenants.migrate(options);
    await migrations.down(options);
    expect(await processes.notes('acme')).toEqual(['0001-a', '0002-b']);
    expect(await migrations.down({ ...options, to: '0' })).toMatchObject([{ value: { version: undefined } }]);
    expect(await processes.notes('acme')).toEqual([]);
    expect((await migrations.statusOf('acme')).records).toEqual({});
  });

  it('takes back nothing where one cannot be', async () => {
    const { tenants, migrations } = await processes.add([migration('0001-a', () => undefined), noting('0002-b')]);
    await tenants.migrate({ tenants: ['acme'] });
    const refused = await causeOf(migrations.down({ tenants: ['acme'], to: '0' }));
    expect(refused).toBeInstanceOf(MigrationIrreversibleError);
    expect(await processes.notes('acme')).toEqual(['0002-b']);
  });
});

describe('provisioning', () => {
  it('runs all migrations before indexes and seeds are made', async () => {
    const seed = async (tenantId: string) => void order.push(`seed ${tenantId}`);
    const order: string[] = [];
    const first = migration('0001-a', async ({ db, tenant }) => {
      order.push(
        `up ${tenant}, ${
          (
            await db
              .collection('members')
              .indexes()
              .catch(() => [])
          ).length
        } indexes`,
      );
    });
    const { tenants, migrations } = await processes.add([first], {}, { exists: 'provisioned', seed });
    await tenants.provision('acme');
    await tenants.provision('acme');
    expect(order).toEqual(['up acme, 0 indexes', 'seed acme']);
    expect((await migrations.statusOf('acme')).version).toBe('0001-a');
  });

  it('marks them as done with `baseline: stamp`', async () => {
    const { tenants, migrations } = await processes.add([noting('0001-a')], { baseline: 'stamp' });
    await tenants.provision('acme');
    expect(await processes.notes('acme')).toEqual([]);
    expect((await migrations.statusOf('acme')).records['0001-a']).toMatchObject({ state: 'done', isStamped: true });
  });
});
