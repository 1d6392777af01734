import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the map in a package's ARCHITECTURE.md says of each file under `folder`, by path. */
export function mappedFiles(root: string, folder: string): Map<string, string> {
  const [, map] = /^## The map\n\n```\n(.*?)^```/ms.exec(readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'))!;
  const folders: string[] = [];
  const files = new Map<string, string>();
  for (const line of map!.trimEnd().split('\n')) {
    const [, indent, name, text] = /^( *)(\S+) *(.*)$/.exec(line)!;
    folders.length = indent!.length / 2;
    if (name!.endsWith('/')) folders.push(name!);
    else if (folders[0] === `${folder}/`) files.set(folders.join('') + name, text!);
  }
  return files;
}

/** The TypeScript files that there are under `folder`, by path. */
export const filesUnder = (root: string, folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file))
    .sort();
