import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TenantInUseError, TenantRemovalError, TenantUnknownError, type PolyMongoWrapper } from 'nestjs-polymongo';
import { deferred } from '../../support/deferred.js';
import { TenantProcesses } from '../../support/tenant-processes.js';
import { waitFor } from '../../support/wait-for.js';

const PROVISIONED = { exists: 'provisioned' } as const;
const CONFIRMED = { confirm: 'acme' };

let processes: TenantProcesses;
let remover: PolyMongoWrapper;
let other: PolyMongoWrapper;

const recordOf = (id: string) =>
  processes.registry<{ _id: string; state: string }>('polymongo_tenants').findOne({ _id: id });
const removing = () => waitFor(async () => (await recordOf('acme'))?.state === 'removing');
/** The other process has begun a piece of work for acme that ends when told to. */
const workElsewhere = async () => {
  const begun = deferred();
  const end = deferred();
  const work = other.pools.database(processes.database('acme')).run(async () => {
    begun.resolve();
    await end.promise;
  });
  await begun.promise;
  return { end: end.resolve, work };
};

beforeEach(async () => {
  processes = await TenantProcesses.start();
  remover = processes.add(PROVISIONED);
  other = processes.add(PROVISIONED);
  await remover.tenants.provision('acme');
  await processes.write(other, 'acme');
});
afterEach(() => processes.stop());

describe('a tenant that is removed', () => {
  it('is dropped when the other processes have let go of it: their writes are refused, the next tenant of the id begins empty', async () => {
    await remover.tenants.deprovision('acme', CONFIRMED);
    await expect(processes.write(other, 'acme')).rejects.toThrow(TenantUnknownError);
    expect(await processes.databases()).not.toContain(processes.database('acme'));
    await remover.tenants.provision('acme');
    expect(await processes.count(remover, 'acme')).toBe(0);
  });

  it('stays dropped whatever the other processes write meanwhile', async () => {
    let isOver = false;
    const refused: unknown[] = [];
    const writers = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        await processes.write(other, 'acme').catch((error: unknown) => refused.push(error));
        await setImmediate(); // refusals come without a pause
      }
    });
    await remover.tenants.deprovision('acme', CONFIRMED);
    expect(await processes.databases()).not.toContain(processes.database('acme'));
    const soFar = refused.length;
    await waitFor(() => refused.length > soFar + 8);
    isOver = true;
    await Promise.all(writers);
    expect(await processes.databases()).not.toContain(processes.database('acme'));
    expect(refused.every((error) => error instanceof TenantUnknownError)).toBe(true);
  });

  it('is dropped after the work that another process has begun for it', async () => {
    const { end, work } = await workElsewhere();
    let isDropped = false;
    const dropping = remover.tenants.deprovision('acme', CONFIRMED).then(() => (isDropped = true));
    await removing();
    await waitFor(() =>
      processes.write(other, 'acme').then(
        () => false,
        () => true,
      ),
    ); // it has heard of it
    expect(await processes.databases()).toContain(processes.database('acme'));
    expect(isDropped).toBe(false);
    end();
    await Promise.all([work, dropping]);
    expect(await processes.databases()).not.toContain(processes.database('acme'));
  });

  it('stays locked out and undropped while such work does not end, until it is removed again', async () => {
    const { end, work } = await workElsewhere();
    const dropping = remover.tenants.deprovision('acme', { ...CONFIRMED, timeoutMS: 300 });
    await expect(dropping).rejects.toThrow(TenantInUseError);
    await expect(dropping).rejects.toMatchObject({ tenantId: 'acme', processes: 1 });
    expect(await processes.databases()).toContain(processes.database('acme'));
    await expect(processes.write(remover, 'acme')).rejects.toThrow(TenantUnknownError);
    await expect(remover.tenants.provision('acme')).rejects.toThrow(TenantRemovalError);
    end();
    await work;
    await remover.tenants.deprovision('acme', CONFIRMED);
    expect((await remover.tenants.provision('acme')).isNew).toBe(true);
  });

  it('cannot be provisioned by another process meanwhile', async () => {
    const { end, work } = await workElsewhere();
    const dropping = remover.tenants.deprovision('acme', CONFIRMED);
    await removing();
    await expect(other.tenants.provision('acme')).rejects.toThrow(TenantRemovalError);
    end();
    await Promise.all([work, dropping]);
    expect((await other.tenants.provision('acme')).isNew).toBe(true);
  });

  it('waits for a process that is not heard of until what it remembers no longer counts', async () => {
    const records = processes.registry<{ _id: string; aliveUntil: Date; removing: string[] }>('polymongo_processes');
    const aliveUntil = new Date(Date.now() + 1_500);
    await records.insertOne({ _id: 'killed', aliveUntil, removing: [] });
    await remover.tenants.deprovision('acme', CONFIRMED);
    expect(Date.now()).toBeGreaterThanOrEqual(aliveUntil.getTime());
    expect(await records.findOne({ _id: 'killed' })).toBeNull();
  });

  it('is not let in by an answer that was on its way when it was removed', async () => {
    const asked: string[] = [];
    const answer = deferred();
    const slow = processes.add({
      exists: async (id) => {
        if (asked.push(id) > 1) return false;
        await answer.promise;
        return true;
      },
    });
    const late = processes.write(slow, 'acme');
    await waitFor(() => asked.length === 1);
    await remover.tenants.deprovision('acme', CONFIRMED);
    answer.resolve();
    await expect(late).rejects.toThrow(TenantUnknownError);
    expect(asked).toHaveLength(2);
  });

  it('is asked for again by a process that has been counted out', async () => {
    await processes.registry('polymongo_tenants').deleteOne({ _id: 'acme' });
    await processes.write(other, 'acme'); // remembered
    await processes.registry('polymongo_processes').deleteMany({});
    const refusal = await waitFor(() =>
      processes.write(other, 'acme').then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    expect(refusal).toBeInstanceOf(TenantUnknownError);
  });

  it('does not keep a process that has ended in order waited for', async () => {
    await other.actions.closeAll();
    const left = await processes.registry('polymongo_processes').find().toArray();
    await remover.tenants.deprovision('acme', CONFIRMED);
    expect(left).toHaveLength(0);
  });
});

describe('which tenants there are', () => {
  it("with exists: 'provisioned' a database that looks like a tenant's makes no tenant, and forEach runs through", async () => {
    await remover.pools.connectionOf(processes.database('acme_backup')).collection('notes').insertOne({ text: 'old' });
    expect(await remover.tenants.list()).toEqual(['acme']);
    expect((await remover.tenants.forEach((id) => id)).map(({ tenantId }) => tenantId)).toEqual(['acme']);
  });

  it('with a function those that it knows, provisioned or not', async () => {
    const known = new Set(['acme', 'older']);
    const polymongo = processes.add({ exists: (id) => known.has(id) });
    for (const id of ['older', 'acme_backup'])
      await remover.pools.connectionOf(processes.database(id)).collection('notes').insertOne({ text: 'old' });
    expect(await polymongo.tenants.list()).toEqual(['acme', 'older']);
    expect(await polymongo.tenants.forEach((id) => id)).toHaveLength(2);
    known.delete('acme');
    expect(await processes.add({ exists: (id) => known.has(id) }).tenants.list()).toEqual(['older']);
  });
});
