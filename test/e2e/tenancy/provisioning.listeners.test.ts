import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { PolyMongoWrapper } from 'nestjs-polymongo';
import { TenantProcesses } from '../../support/tenant-processes.js';
import { unhandledDuring } from '../../support/unhandled.js';
import { waitFor } from '../../support/wait-for.js';

describe.each([
  ['rejects', () => Promise.reject(new Error('no mail server'))],
  [
    'throws',
    () => {
      throw new Error('no mail server');
    },
  ],
])('a listener of onProvisioned or onDeprovisioned that %s', (_, failing) => {
  let processes: TenantProcesses;
  let polymongo: PolyMongoWrapper;
  let told: [string, string, string][];

  beforeEach(async () => {
    processes = await TenantProcesses.start();
    polymongo = processes.add({
      exists: 'provisioned',
      seed: async (tenant, connection) => void (await connection.collection('plans').insertOne({ tenant })),
    });
    told = [];
    polymongo.onDbError((error, { during, db }) => {
      told.push([during, db, (error as Error).message]);
      return failing(); // nobody is told of that
    });
  });
  afterEach(() => processes.stop());

  it('fails nothing and keeps no other listener from hearing; onDbError is told', async () => {
    const heard: string[] = [];
    polymongo.tenants.onProvisioned(failing);
    polymongo.tenants.onDeprovisioned(failing);
    polymongo.tenants.onProvisioned(({ tenantId, isNew }) => heard.push(`${tenantId}: ${isNew}`));
    polymongo.tenants.onDeprovisioned(({ tenantId }) => heard.push(`${tenantId}: gone`));
    const db = processes.database('acme');

    const unhandled = await unhandledDuring(async () => {
      expect(await polymongo.tenants.provision('acme')).toEqual({ tenantId: 'acme', database: db, isNew: true });
      await waitFor(() => told.length === 1);
      await processes.write(polymongo, 'acme'); // it is there and let in
      expect(await polymongo.tenants.provision('acme')).toMatchObject({ isNew: false }); // not seeded again
      await waitFor(() => told.length === 2);
      await polymongo.tenants.deprovision('acme', { confirm: 'acme' });
      await waitFor(() => told.length === 3);
    });

    expect(unhandled).toEqual([]);
    expect(heard).toEqual(['acme: true', 'acme: false', 'acme: gone']);
    const during = (event: string) => [`${event} listener`, db, 'no mail server'];
    expect(told).toEqual([during('tenantProvisioned'), during('tenantProvisioned'), during('tenantDeprovisioned')]);
    expect(await polymongo.tenants.list()).toEqual([]);
    expect(await processes.databases()).not.toContain(db);
    expect(await processes.registry('polymongo_tenants').countDocuments()).toBe(0);
  });
});
