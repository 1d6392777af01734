import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { uniqueName } from '../../support/database-names.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';
import { runIn } from './cli.run.js';

let server: TestServer;
let folder: string;
let config: string;
let prefix: string;
beforeEach(async () => {
  server = await startTestServer();
  folder = await mkdtemp(join(tmpdir(), 'migrate-'));
  prefix = uniqueName('cli');
  config = join(folder, 'polymongo.config.mjs');
  const options = `{ defaultDB: '${prefix}', tenant: { database: (id) => '${prefix}_' + id }, migrations: { directory: ${JSON.stringify(folder)} } }`;
  await writeFile(config, `export default ${options};`);
});
afterEach(async () => {
  const client = await new mongoose.mongo.MongoClient(server.uri).connect();
  for (const id of ['', '_acme', '_globex']) await client.db(prefix + id).dropDatabase();
  await client.close();
  await server.stop();
  await rm(folder, { recursive: true });
});

const write = (name: string, text: string) => writeFile(join(folder, name), text);
const run = (...args: string[]) => runIn(server.uri, ['migrate', ...args]);
const both = () => ['--config', config, '--tenant', 'acme', '--tenant', 'globex'];
const one = () => ['--config', config, '--tenant', 'acme'];

const STEP = `export const up = ({ log }) => log('on the way');\nexport const down = () => {};\n`;
const HALF = `export const isTransactional = false;\nexport const up = ({ tenant }) => { if (tenant === 'acme') throw new Error('no'); };\n`;

describe('polymongo migrate', () => {
  it('runs migrations, shows what was done and what there is, and takes it back', async () => {
    await write('0001-a.mjs', STEP);
    await write('0002-b.mjs', STEP);
    const planned = await run('up', ...both(), '--dry-run', '--to', '1');
    expect(planned).toMatchObject({ code: 0 });
    expect(planned.out).toMatch(/acme +- +up 0001-a/);
    const up = await run('up', ...both(), '--to', '1');
    expect(up).toMatchObject({ code: 0 });
    expect(up.out).toMatch(/TENANT +VERSION +STEPS +MS\nacme +0001-a +up 0001-a +\d+\nglobex/);
    expect(up.err).toContain('acme 0001-a: on the way');
    await run('up', ...one());
    expect((await run('status', ...both())).out).toMatch(/TENANT +0001 +0002 +AHEAD\nacme +x +x\nglobex +x +\.\n/);
    await run('down', ...one(), '--to', '0');
    const status = await run('status', ...one(), '--json');
    expect(JSON.parse(status.out)).toMatchObject([{ tenantId: 'acme', ok: true, pending: ['0001-a', '0002-b'] }]);
  });

  it('tells of a tenant that failed, goes on with the others when told to, and redoes or marks what is half-done', async () => {
    await write('0001-a.mjs', HALF);
    const failed = await run('up', ...both(), '--on-error', 'collect', '--json');
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.out)).toMatchObject([
      { tenantId: 'acme', ok: false, error: { name: 'MigrationFailedError' } },
      { tenantId: 'globex', ok: true, version: '0001-a' },
    ]);
    expect((await run('status', ...one())).out).toMatch(/acme +!\n[\s\S]*acme 0001-a: half-done, no/);
    expect((await run('up', ...one())).err).toContain('is half-done');
    expect((await run('redo', '1', ...one())).code).toBe(1);
    expect((await run('mark', '1', '--as', 'done', ...one())).code).toBe(0);
    expect((await run('status', ...one())).out).toMatch(/acme +s\n/);
  });

  it('writes a file with the next number, which runs', async () => {
    await write('0009-a.mjs', STEP);
    const created = await run('create', 'split-name', '--dir', folder);
    expect(created.out).toContain('0010-split-name.mjs');
    expect(await readFile(join(folder, '0010-split-name.mjs'), 'utf8')).toContain('export async function up({ db })');
    await run('create', 'drop-name', '--dir', folder, '--type', 'cjs');
    const up = await run('up', ...one());
    expect(up.out).toMatch(/up 0009-a, up 0010-split-name, up 0011-drop-name/);
    expect((await run('create', '../up', '--dir', folder)).code).toBe(2);
  });

  it('refuses to guess which tenants are meant, and a config that is none', async () => {
    expect(await run('up', '--config', config)).toMatchObject({ code: 2, err: expect.stringContaining('--all') });
    expect(await run('up', '--all', '--tenant', 'acme')).toMatchObject({ code: 2 });
    expect(await run('up', '--all', '--config', join(folder, 'none.mjs'))).toMatchObject({ code: 2 });
  });
});
