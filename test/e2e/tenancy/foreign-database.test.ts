import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TenantDatabaseTakenError, TenantUnknownError, type TenantOptions } from 'nestjs-polymongo';
import { TenantProcesses } from '../../support/tenant-processes.js';
import { waitFor } from '../../support/wait-for.js';

const REGISTRY = 'polymongo_tenants';
const ANY = /^[\w-]+$/;

let processes: TenantProcesses;
beforeEach(async () => {
  processes = await TenantProcesses.start();
});
afterEach(() => processes.stop());

const truncated = (id: string): string => `${processes.prefix}_${id.slice(0, 4)}`;
const KINDS: Record<string, () => TenantOptions> = {
  'where every id is a tenant': () => ({ database: truncated }),
  'where a function says who is one': () => ({ database: truncated, exists: () => true }),
  'where only case tells them apart': () => ({
    pattern: ANY,
    database: (id) => `${processes.prefix}_${id.slice(0, 7)}`,
  }),
  'where each has a pool of its own': () => ({
    database: truncated,
    connection: () => ({ mongoURI: processes.server.uri, options: { maxConnections: 2 } }),
  }),
};

describe.each(Object.keys(KINDS))("a provisioned tenant's database, %s", (kind) => {
  const [one, two] = kind.includes('case') ? ['acmeone', 'ACMEone'] : ['acmeone', 'acmetwo'];

  it('is refused to the id of another that maps to it, in a process that has provisioned nothing', async () => {
    const [a, b] = [processes.add(KINDS[kind]!()), processes.add(KINDS[kind]!())];
    await a.tenants.provision(one);
    await processes.write(a, one);
    const ways = [
      () => processes.write(b, two),
      () => processes.count(b, two),
      () => b.tenantContext.run(two, () => processes.notesOf(b).tenant().find().exec()),
      () => b.tenants.forEach(() => processes.notesOf(b).tenant().find().exec(), { tenants: [two] }),
    ];
    for (const way of ways) {
      const refusal = await way().then(
        (given: unknown) => given,
        (error: Error) => error,
      );
      const { cause } = refusal as Error;
      expect(cause ?? refusal).toBeInstanceOf(TenantDatabaseTakenError);
    }
    expect(await processes.count(b, one)).toBe(1); // the refusals keep the real tenant not out
    expect(await processes.count(a, one)).toBe(1);
  });
});

describe('ids that may map to one database', () => {
  it('are all tenants while none is provisioned, and no registry is made for them', async () => {
    const [a, b] = [processes.add({ database: truncated }), processes.add({ database: truncated })];
    await processes.write(a, 'acmeone');
    expect(await processes.count(b, 'acmetwo')).toBe(1); // as documented
    const made = await a.pools.connectionOf(`${processes.prefix}_default`).listCollections();
    expect(made.map(({ name }) => name)).not.toContain(REGISTRY);
  });

  it('are looked up once a tenant and existsTTLMS; ids that cannot collide never', async () => {
    const looked = async (tenant: TenantOptions) => {
      const polymongo = processes.add(tenant, { driverOptions: { monitorCommands: true } });
      const ids: string[] = [];
      await polymongo.pools.connectionOf(`${processes.prefix}_default`).asPromise();
      polymongo.pools.primary.client.on('commandStarted', ({ command, commandName }) => {
        const { find } = command as { find?: string };
        if (commandName === 'find' && find === REGISTRY) ids.push(find);
      });
      for (const id of ['acmeone', 'globex']) {
        await Promise.all([1, 2, 3].map(() => processes.count(polymongo, id)));
        await processes.count(polymongo, id);
      }
      await polymongo.pools.connectionOf('tenant_acmeone').dropDatabase();
      return ids.length;
    };
    expect(await looked({ database: truncated })).toBeLessThanOrEqual(4);
    expect(await looked({ database: undefined })).toBe(0);
  });

  it('are refused too where an earlier version has written the tenant down', async () => {
    const polymongo = processes.add({ database: truncated });
    await processes
      .registry(REGISTRY)
      .insertOne({ _id: 'acmeone', database: truncated('acmeone'), state: 'ready' } as never);
    await expect(processes.write(polymongo, 'acmetwo')).rejects.toThrow(TenantDatabaseTakenError);
    await processes.write(polymongo, 'acmeone');
  });

  it('are let in again when the other one has been deprovisioned', async () => {
    const [a, b] = [processes.add({ database: truncated }), processes.add({ database: truncated })];
    await a.tenants.provision('acmeone');
    await expect(processes.write(b, 'acmetwo')).rejects.toThrow(TenantDatabaseTakenError);
    await a.tenants.deprovision('acmeone', { confirm: 'acmeone' });
    await processes.write(b, 'acmetwo');
  });

  it('are listed as the one that is provisioned', async () => {
    const [a, b] = [processes.add({ database: truncated }), processes.add({ database: truncated })];
    await a.tenants.provision('acmeone');
    await processes.write(a, 'acmeone');
    expect(await b.tenants.list()).toEqual(['acmeone']);
    expect(await b.tenants.forEach(() => processes.notesOf(b).tenant().countDocuments().exec())).toHaveLength(1);
  });
});

describe('a tenant that another process provisions', () => {
  const provisioned = { exists: 'provisioned' } as const;
  const visit = (polymongo: ReturnType<TenantProcesses['add']>) =>
    polymongo.tenants.forEach(() => processes.notesOf(polymongo).tenant().countDocuments().exec());

  it.each<[string, (polymongo: ReturnType<TenantProcesses['add']>) => Promise<unknown>]>([
    ['forEach', visit],
    ['run', (polymongo) => processes.count(polymongo, 'acme')],
    ['list', (polymongo) => polymongo.tenants.list()],
    ['syncIndexes', (polymongo) => polymongo.tenants.syncIndexes()],
  ])('is there at once for %s, although it has just been refused here', async (_, use) => {
    const [a, b] = [processes.add(provisioned), processes.add(provisioned)];
    const asRequest = () => a.tenantContext.run('acme', () => processes.notesOf(a).tenant().find().exec());
    await expect(asRequest()).rejects.toThrow(TenantUnknownError);
    await b.tenants.provision('acme');
    await use(a);
    await expect(asRequest()).resolves.toEqual([]);
  });

  it('is there for requests after a second, although they have been refused', async () => {
    const [a, b] = [processes.add(provisioned), processes.add(provisioned)];
    const asRequest = () => a.tenantContext.run('acme', () => processes.notesOf(a).tenant().find().exec());
    await expect(asRequest()).rejects.toThrow(TenantUnknownError);
    await b.tenants.provision('acme');
    await waitFor(async () => (await asRequest().catch(() => undefined)) !== undefined);
  });
});
