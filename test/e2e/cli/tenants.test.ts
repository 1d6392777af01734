import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TenantProcesses } from '../../support/tenant-processes.js';
import { runIn } from './cli.run.js';

let processes: TenantProcesses;
let folder: string;
let config: string;
beforeEach(async () => {
  processes = await TenantProcesses.start();
  folder = await mkdtemp(join(tmpdir(), 'tenants-'));
  config = join(folder, 'polymongo.config.mjs');
  const { prefix } = processes;
  await writeFile(
    config,
    `export default { defaultDB: '${prefix}_default', tenant: { database: (id) => '${prefix}_t_' + id, suspension: { withinMS: 200 } } };`,
  );
});
afterEach(async () => {
  await processes.stop();
  await rm(folder, { recursive: true });
});

const run = (...[name, ...args]: string[]) =>
  runIn(processes.server.uri, ['tenants', name!, '--config', config, ...args]);

describe('polymongo tenants', () => {
  it('finds, measures, suspends and resumes tenants', async () => {
    const served = processes.add({ suspension: { withinMS: 200 } });
    await served.tenants.provision('acme');
    await served.tenants.provision('globex');
    await processes.write(served, 'acme');

    const found = await run('find');
    expect(found).toMatchObject({ code: 0 });
    expect(found.out).toMatch(
      /TENANT +DATABASE +STATE +LAST USED +SUSPENDED\nacme +\S+_t_acme +ready +- +-\nglobex .*\n2 tenants\n/,
    );

    const stats = await run('stats', 'acme', '--json');
    expect(JSON.parse(stats.out)).toMatchObject([{ tenantId: 'acme', ok: true, documents: 1, collections: 1 }]);
    expect((await run('stats')).out).toMatch(/TENANT +DOCUMENTS.*\nacme +1 +1 +\d+ B +- .*\nglobex +0 +1 +0 B /);

    expect(await run('suspend', 'acme', '--reason', 'unpaid')).toMatchObject({ code: 0, out: 'acme is suspended.\n' });
    await expect(processes.write(served, 'acme')).rejects.toThrow('suspended');
    expect((await run('find', '--suspended')).out).toMatch(/acme .* unpaid\n1 tenant\n/);
    expect(JSON.parse((await run('find', '--no-suspended', '--json')).out)).toMatchObject([{ tenantId: 'globex' }]);
    expect(await run('resume', 'acme')).toMatchObject({ code: 0, out: 'acme is let in again.\n' });
    expect(JSON.parse((await run('find', '--suspended', '--json')).out)).toEqual([]);
  });

  it('backs up, verifies, restores and clones tenants', async () => {
    const served = processes.add({ suspension: { withinMS: 200 } });
    for (const tenantId of ['acme', 'globex']) await served.tenants.provision(tenantId);
    await processes.write(served, 'acme');
    const out = join(folder, 'backups');
    const backedUp = await run('backup', '--all', '--out', out);
    expect(backedUp).toMatchObject({ code: 0 });
    expect(backedUp.out).toMatch(
      /TENANT +DOCUMENTS +COLLECTIONS +SIZE\nacme +1 +1 .*\nglobex +0 +1 .*\nBacked up 2 of 2\.\n/,
    );
    expect((await readdir(out)).sort()).toEqual([
      'acme.json.gz',
      'acme.manifest.json',
      'globex.json.gz',
      'globex.manifest.json',
    ]);

    expect((await run('verify', '--all', '--from', out)).out).toContain('Whole: 2 of 2.');
    await rm(join(out, 'globex.json.gz'));
    const damaged = await run('verify', '--all', '--from', out, '--json');
    expect(damaged.code).toBe(1);
    expect(JSON.parse(damaged.out)).toMatchObject([
      { tenantId: 'acme', ok: true },
      { tenantId: 'globex', ok: false, error: { name: 'BackupMissingError' } },
    ]);

    expect(await run('restore', 'acme', '--from', out)).toMatchObject({
      code: 1,
      err: expect.stringContaining('drop'),
    });
    const restored = await run('restore', 'acme', '--from', out, '--as', 'umbrella');
    expect(restored).toMatchObject({ code: 0, out: 'Restored: umbrella, 1 document in 1 collection.\n' });
    expect(JSON.parse((await run('clone', 'umbrella', 'hooli', '--json')).out)).toMatchObject({ tenantId: 'hooli' });
    expect(await processes.count(served, 'hooli')).toBe(1);
    expect(await run('backup', 'acme', '--all', '--out', out)).toMatchObject({ code: 2 });
  });

  it('says what was wrong: a date, an id, a tenant that cannot be read', async () => {
    expect(await run('find', '--unused-since', 'yesterday')).toMatchObject({ code: 2 });
    expect(await run('suspend', 'NO WAY')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Invalid tenant id'),
    });
    const failed = await run('stats', 'NO WAY');
    expect(failed).toMatchObject({ code: 1, err: expect.stringContaining('Invalid tenant id') });
  });
});
