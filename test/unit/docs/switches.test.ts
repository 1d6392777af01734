import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '../../..');
const READERS = [
  'lib',
  'test',
  'bench',
  'scripts',
  'sample-app',
  'packages',
  '.ci',
  'jest.config.mjs',
  'jest.shared.mjs',
];
const READ = /\benv(?:\.|\[')(POLYMONGO_\w+)|\$\{?(POLYMONGO_\w+)|\{[^{}]*\b(POLYMONGO_\w+)[^{}]*\} = process\.env/g;

function* filesUnder(path: string): Iterable<string> {
  if (/\.\w+$|run$/.test(path) && !path.endsWith('.ci')) return yield path;
  for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
    if (['node_modules', 'dist'].includes(entry.name)) continue;
    if (entry.isDirectory()) yield* filesUnder(`${path}/${entry.name}`);
    else yield `${path}/${entry.name}`;
  }
}

it('CONTRIBUTING lists each switch that something reads, and no other', () => {
  const read = new Set<string>();
  for (const path of READERS.flatMap((reader) => [...filesUnder(reader)]))
    for (const found of readFileSync(join(root, path), 'utf8').matchAll(READ))
      read.add((found[1] ?? found[2] ?? found[3])!);
  const listed = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8').match(/\bPOLYMONGO_\w+/g)!;
  expect(read.size).toBeGreaterThan(10);
  expect([...new Set(listed)].sort()).toEqual([...read].sort());
});
