import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '../..');

/** The files of the map, each by its path, with what is said of it. */
function mapped(): Map<string, string> {
  const [, map] = /^## The map\n\n```\n(.*?)^```/ms.exec(readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'))!;
  const folders: string[] = [];
  const files = new Map<string, string>();
  for (const line of map!.trimEnd().split('\n')) {
    const [, indent, name, text] = /^( *)(\S+) *(.*)$/.exec(line)!;
    folders.length = indent!.length / 2;
    if (name!.endsWith('/')) folders.push(name!);
    else files.set(folders.join('') + name, text!);
  }
  return files;
}

it('the map has a line for each file, and none for another', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join('src', file));
  const map = mapped();
  expect([...map.keys()].sort()).toEqual(files.sort());
  expect([...map].filter(([, text]) => text === '')).toEqual([]);
});
