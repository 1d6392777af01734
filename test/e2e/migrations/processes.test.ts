import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { MigrationBusyError, MigrationHalfDoneError, MigrationTakenOverError } from 'nestjs-polymongo';
import { deferred } from '../../support/deferred.js';
import { causeOf, MigratingProcesses, migration, noting } from './migrations.fixture.js';

let processes: MigratingProcesses;
beforeEach(async () => (processes = await MigratingProcesses.start()));
afterEach(() => processes.stop());

const tenants = ['acme'];
/** A migration that is in the middle, after a write, until it is let go on. */
function stopping(name: string, traits: { isTransactional: boolean }) {
  const [reached, goOn] = [deferred(), deferred()];
  const type = migration(
    name,
    async ({ db }) => {
      await db.collection('notes').insertOne({ text: name });
      reached.resolve();
      await goOn.promise;
    },
    traits,
  );
  return { type, reached: reached.promise, goOn: () => goOn.resolve() };
}

it('several processes at once run each migration once a tenant', async () => {
  const all = ['acme', 'globex', 'initech'];
  const classes = ['0001-a', '0002-b', '0003-c'].map((name, i) => noting(name, { isTransactional: i !== 1 }));
  const three = await Promise.all([1, 2, 3].map(() => processes.add(classes)));
  await Promise.all(three.map((each) => each.tenants.migrate({ tenants: all })));
  for (const tenantId of all) expect(await processes.notes(tenantId)).toEqual(['0001-a', '0002-b', '0003-c']);
});

it('nobody takes a tenant over while its process is heard of, however long that takes', async () => {
  const { type, reached, goOn } = stopping('0001-a', { isTransactional: true });
  const first = await processes.add([type], { lockMS: 300 });
  const running = first.tenants.migrate({ tenants }).then((results) => results);
  await reached;
  const second = await processes.add([noting('0001-a')], { lockMS: 300, waitMS: 1000 });
  expect((await second.migrations.statusOf('acme')).isRunning).toBe(true);
  expect(await causeOf(second.tenants.migrate({ tenants }))).toBeInstanceOf(MigrationBusyError);
  goOn();
  await running;
  expect(await processes.notes('acme')).toEqual(['0001-a']);
});

it.each([true, false])('a tenant whose process is gone is taken over; transactional: %s', async (isTransactional) => {
  const { type, reached } = stopping('0002-b', { isTransactional });
  const first = await processes.add([noting('0001-a'), type], { lockMS: 300 });
  void causeOf(first.tenants.migrate({ tenants }));
  await reached;
  const second = await processes.add([noting('0001-a'), noting('0002-b', { isTransactional })], { lockMS: 300 });
  await first.polymongo.actions.forceCloseAll();
  const taken = await causeOf(second.tenants.migrate({ tenants }));
  expect(await processes.notes('acme')).toEqual(['0001-a', '0002-b']);
  if (isTransactional) {
    expect(taken).toBeUndefined();
  } else {
    expect(taken).toBeInstanceOf(MigrationHalfDoneError);
    expect(taken).toMatchObject({ migration: '0002-b', reason: expect.stringContaining('ended') });
    expect((await second.migrations.statusOf('acme')).records['0002-b']!.state).toBe('half-done');
  }
});

it('what a process does after it was taken over is rolled back, or not written down', async () => {
  for (const isTransactional of [true, false]) {
    const tenantId = isTransactional ? 'acme' : 'globex';
    const { type, reached, goOn } = stopping('0001-a', { isTransactional });
    const { tenants: all, migrations } = await processes.add([type, noting('0002-b')]);
    const late = causeOf(all.migrate({ tenants: [tenantId] }));
    await reached;
    await processes.takeOver(tenantId);
    goOn();
    expect(await late).toBeInstanceOf(MigrationTakenOverError);
    expect(await processes.notes(tenantId)).toEqual(isTransactional ? [] : ['0001-a']);
    const { records } = await migrations.statusOf(tenantId);
    expect(records['0001-a']?.state).toBe(isTransactional ? undefined : 'half-done');
  }
});
