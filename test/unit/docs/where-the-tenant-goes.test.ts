import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/where-the-tenant-goes.md'), 'utf8');
const isRow = (line: string) => line.startsWith('| ') && !/^\| (Way in|Way out|Hop) /.test(line) && !/^\| -/.test(line);
const rows = page
  .split('\n')
  .filter(isRow)
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '').trim()));

/** The titles of a test file, as they are written. */
const titlesOf = (file: string): string[] =>
  [
    ...readFileSync(file, 'utf8').matchAll(
      /^\s*(?:it|test)(?:\.each[^'"]*|\.each\([\s\S]*?\]\)|)\(\s*(['"`])(.*?)\1,/gm,
    ),
  ].map(([, , title]) => title!);

describe('each way that the tenant goes', () => {
  it.each(rows.map((row) => ({ way: row[0]!, row })))(
    'names its carrier, its lack and a test that there is: $way',
    ({ row }) => {
      expect(row).toHaveLength(4);
      expect(row.every((cell) => cell !== '')).toBe(true);
      const [, path, title] = /^`(.+?)`: (.+)$/.exec(row[3]!) ?? [];
      const file = join(root, 'test', path ?? '');
      expect(existsSync(file)).toBe(true);
      expect(titlesOf(file)).toContain(title);
    },
  );

  it('is on the page at all', () => {
    expect(rows.length).toBeGreaterThan(30);
  });
});
