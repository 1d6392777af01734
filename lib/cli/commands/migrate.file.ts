import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { numberOf } from '../../providers/migrations/migration.catalogue.js';
import { UsageError } from '../cli.io.js';

const DIGITS = 4;
const TYPE = /^\.(ts|js|mjs|cjs)$/;

/** Writes a new migration with the next number; gives its name. @throws UsageError */
export async function createMigrationFile(folder: string, name: string, type?: string): Promise<string> {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(name)) {
    throw new UsageError(`A migration is named with letters, digits, _ and -, as in split-name, not ${name}.`);
  }
  await mkdir(folder, { recursive: true });
  const there = (await readdir(folder))
    .filter((file) => TYPE.test(extname(file)) && !file.endsWith('.d.ts'))
    .map((file) => ({ number: numberOf(file.slice(0, -extname(file).length)), type: extname(file).slice(1) }))
    .filter(({ number }) => number !== undefined)
    .sort((a, b) => a.number! - b.number!);
  const number = String((there.at(-1)?.number ?? 0) + 1).padStart(DIGITS, '0');
  const ending = type ?? there.at(-1)?.type ?? ((await isThere('tsconfig.json')) ? 'ts' : 'mjs');
  const file = join(folder, `${number}-${name}.${ending}`);
  await writeFile(file, TEMPLATES[ending]!, { flag: 'wx' });
  return file;
}

const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

const BODY = (signature: (name: string) => string, close: string) => `
${signature('up')}
  await db.collection('members').updateMany({ plan: { $exists: false } }, { $set: { plan: 'free' } });
${close}

${signature('down')}
  await db.collection('members').updateMany({ plan: 'free' }, { $unset: { plan: '' } });
${close}
`;
const NOTE = `// In a transaction, with the record that it ran. For indexes, or for work of more than a minute:
`;
const MODULE = (context: string) =>
  BODY((name) => `export async function ${name}(${context}) {`, '}') +
  `\n${NOTE}// export const isTransactional = false;\n`;
const SCRIPT = MODULE('{ db }').trimStart();

const TEMPLATES: Readonly<Record<string, string>> = {
  ts: `import type { MigrationContext } from 'nestjs-polymongo';\n${MODULE('{ db }: MigrationContext')}`,
  js: SCRIPT,
  mjs: SCRIPT,
  cjs:
    BODY((name) => `exports.${name} = async ({ db }) => {`, '};').trimStart() +
    `\n${NOTE}// exports.isTransactional = false;\n`,
};
