import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PolyMongoOptionsError, type PolyMongoWrapper, type TenantOverview } from 'nestjs-polymongo';
import { inspect } from 'node:util';
import { TenantProcesses } from '../../support/tenant-processes.js';
import { waitFor } from '../../support/wait-for.js';

let processes: TenantProcesses;
let here: PolyMongoWrapper;

const idsOf = (tenants: readonly { tenantId: string }[]) => tenants.map(({ tenantId }) => tenantId);

beforeEach(async () => {
  processes = await TenantProcesses.start();
  here = processes.add({ suspension: { withinMS: 200 } });
  await here.tenants.provision('acme');
  await here.tenants.provision('globex');
  await processes.write(here, 'acme');
});
afterEach(() => processes.stop());

const overviewOf = async (tenantId: string, polymongo = here, maxAgeMS = 0): Promise<TenantOverview> => {
  const [result] = await polymongo.tenants.stats({ tenants: [tenantId], maxAgeMS });
  if (!result!.ok) throw result!.error;
  return result!.value;
};

describe('stats()', () => {
  it('says of each tenant what its database holds, where it is, and since when', async () => {
    const results = await here.tenants.stats();
    expect(results.map(({ tenantId, ok }) => ({ tenantId, ok }))).toEqual(
      expect.arrayContaining([
        { tenantId: 'acme', ok: true },
        { tenantId: 'globex', ok: true },
      ]),
    );
    const acme = await overviewOf('acme');
    expect(acme).toMatchObject({
      database: processes.database('acme'),
      state: 'ready',
      documents: 1,
      collections: 1,
      pool: `${processes.prefix}_default`,
      suspension: undefined,
      version: undefined,
    });
    expect(acme.sizeMb).toBeGreaterThan(0);
    expect(acme.createdAt).toBeInstanceOf(Date);
    expect((await overviewOf('globex')).documents).toBe(0);
  });

  it('remembers an answer for maxAgeMS', async () => {
    const first = await overviewOf('acme');
    await processes.write(here, 'acme');
    expect(await overviewOf('acme', here, 60_000)).toEqual(first);
    expect((await overviewOf('acme')).documents).toBe(2);
  });

  it('is no use of a tenant: when it was last used stays as it was', async () => {
    const { lastUsedAt } = await overviewOf('acme');
    expect(lastUsedAt).toBeInstanceOf(Date);
    await waitFor(() => Date.now() > lastUsedAt!.getTime());
    expect((await overviewOf('acme')).lastUsedAt).toEqual(lastUsedAt);
    await processes.count(here, 'acme');
    expect((await overviewOf('acme')).lastUsedAt!.getTime()).toBeGreaterThan(lastUsedAt!.getTime());
  });

  it('is of suspended tenants, too', async () => {
    await here.tenants.suspend('acme', { reason: 'unpaid' });
    expect(await overviewOf('acme')).toMatchObject({ documents: 1, suspension: { reason: 'unpaid' } });
  });

  it('shows the cluster of a tenant on one of its own, and in no case credentials', async () => {
    const { host } = new URL(processes.server.uri.replace('mongodb:', 'http:'));
    const apart = processes.add({
      connection: (id) => ({ mongoURI: `mongodb://${id === 'acme' ? '' : 'someone:s3cret@'}${host}/?appName=apart` }),
    });
    const own = await overviewOf('acme', apart);
    expect(own).toMatchObject({ pool: processes.database('acme'), cluster: `mongodb://${host}/?appName=apart` });
    const refused = await apart.tenants.stats({ tenants: ['globex'], onError: 'collect' });
    expect(refused).toMatchObject([{ ok: false }]);
    expect(inspect(refused, { depth: 10 })).not.toContain('s3cret');
  });

  it('refuses an age that is none', () => {
    expect(() => here.tenants.stats({ maxAgeMS: -1 })).toThrow(PolyMongoOptionsError);
  });
});

describe('find()', () => {
  it('gives those that meet all criteria, sorted', async () => {
    const before = new Date();
    await processes.write(here, 'umbrella'); // never provisioned
    await here.tenants.suspend('globex');
    expect(idsOf(await here.tenants.find())).toEqual(['acme', 'globex', 'umbrella']);
    expect(idsOf(await here.tenants.find({ state: 'ready' }))).toEqual(['acme', 'globex']);
    expect(idsOf(await here.tenants.find({ state: 'found' }))).toEqual(['umbrella']);
    expect(idsOf(await here.tenants.find({ isSuspended: true }))).toEqual(['globex']);
    expect(idsOf(await here.tenants.find({ isSuspended: false, state: 'ready' }))).toEqual(['acme']);
    expect(idsOf(await here.tenants.find({ startsWith: 'gl' }))).toEqual(['globex']);
    expect(idsOf(await here.tenants.find({ unusedSince: before }))).toEqual(['acme', 'globex']);
    expect(idsOf(await here.tenants.find({ createdBefore: new Date(0) }))).toEqual([]);
  });

  it('gives a tenant whose id is none any more, too', async () => {
    const stricter = processes.add({ pattern: /^[a-f]+$/ });
    expect(idsOf(await stricter.tenants.find({ state: 'ready' }))).toEqual(['acme', 'globex']);
  });

  it('names a criterion that there is not', async () => {
    await expect(here.tenants.find({ isSuspendet: true } as never)).rejects.toThrow(/isSuspended/);
  });
});

describe('with recordUseEveryMS', () => {
  it('knows when another process last used a tenant, also one that has ended', async () => {
    const recording = processes.add({ recordUseEveryMS: 60_000 });
    const reader = processes.add();
    await processes.write(recording, 'globex');
    const { lastUsedAt } = await overviewOf('globex', recording);
    await recording.actions.closeAll();
    expect((await overviewOf('globex', reader)).lastUsedAt).toEqual(lastUsedAt);
  });

  it('writes it down while it works', async () => {
    const recording = processes.add({ recordUseEveryMS: 1_000 });
    await processes.write(recording, 'globex');
    const record = () =>
      processes.registry<{ _id: string; lastUsedAt?: Date }>('polymongo_tenants').findOne({ _id: 'globex' });
    await waitFor(async () => (await record())?.lastUsedAt !== undefined);
  });
});
