import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MigrationDefinitionError, MigrationChangedError } from 'nestjs-polymongo';
import { migrationsOf } from '../../../lib/providers/migrations/migration.sources.js';
import { causeOf, MigratingProcesses, noting } from './migrations.fixture.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'migrations-'))));
afterEach(() => rm(folder, { recursive: true }));
const write = (name: string, text: string) => writeFile(join(folder, name), text);

const UP = "export const up = async ({ db }) => void (await db.collection('notes').insertOne({ text: 'file' }));\n";

describe('the files of a folder', () => {
  it('are migrations where they are named so; by named exports, by a default export, ES modules and CommonJS', async () => {
    await write('0002-b.mjs', `${UP}export const isTransactional = false;`);
    await write('0001-a.cjs', 'module.exports = { up() {}, down() {}, checksum: "mine" };');
    await write('0003-c.mjs', 'export default { up() {} };');
    for (const other of ['0003-c.d.ts', '0003-c.test.ts', '0003-c.mjs.map', 'helpers.mjs', '0003-c.mts', 'README.md']) {
      await write(other, 'not read');
    }
    const read = await migrationsOf(folder);
    expect(read.map(({ name }) => name).sort()).toEqual(['0001-a', '0002-b', '0003-c']);
    expect(read.find(({ name }) => name === '0001-a')).toMatchObject({ checksum: 'mine', down: expect.any(Function) });
    expect(read.find(({ name }) => name === '0002-b')).toMatchObject({ isTransactional: false });
  });

  it.each([
    ['0001.mjs', UP, /not named as a migration/],
    ['0001-a.mjs', 'export const down = () => {};', /exports no function up/],
    ['0001-a.mjs', 'throw new Error("broken");', /cannot be loaded: broken/],
    ['0001-a.ts', 'throw new Error("broken");', /compile it/],
  ])('%s of %j is refused', async (name, text, message) => {
    await write(name, text);
    await expect(migrationsOf(folder)).rejects.toThrow(MigrationDefinitionError);
    await expect(migrationsOf(folder)).rejects.toThrow(message);
  });

  it('are refused where there is no folder', async () => {
    await expect(migrationsOf(join(folder, 'none'))).rejects.toThrow(/cannot be read/);
  });

  it('run beside classes; one that changed is refused until it is accepted, line ends aside', async () => {
    await write('0001-a.mjs', UP);
    const processes = await MigratingProcesses.start();
    try {
      const options = { tenants: ['acme'] };
      const first = await processes.add([noting('0002-b')], { directory: folder });
      await first.tenants.migrate(options);
      expect(await processes.notes('acme')).toEqual(['file', '0002-b']);
      await write('0001-a.mjs', UP.replaceAll('\n', '\r\n'));
      await (await processes.add([noting('0002-b')], { directory: folder })).tenants.migrate(options);
      await write('0001-a.mjs', `${UP}// a word more`);
      const { tenants } = await processes.add([noting('0002-b')], { directory: folder });
      const refused = await causeOf(tenants.migrate(options));
      expect(refused).toBeInstanceOf(MigrationChangedError);
      expect(await tenants.migrate({ ...options, accept: ['0001-a'] })).toMatchObject([
        { value: { steps: [{ kind: 'accept', migration: '0001-a' }] } },
      ]);
      expect(await tenants.migrate(options)).toMatchObject([{ value: { steps: [] } }]);
    } finally {
      await processes.stop();
    }
  });
});
