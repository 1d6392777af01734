import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The TypeScript blocks of a page, such as README.md or docs/bulk.md. */
export function pageBlocks(page: string): string[] {
  const text = readFileSync(page, 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code]) => code!.trim());
}

/** The regions of the files in a folder, which tests run. */
export function snippetRegions(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [
      ...readFileSync(join(folder, file), 'utf8').matchAll(/^[ ]*\/\/ #region .*\n([\s\S]*?)^[ ]*\/\/ #endregion/gm),
    ])
    .map(([, code]) => dedent(code!));
}

function dedent(code: string): string {
  const lines = code.split('\n');
  const indent = Math.min(...lines.filter((line) => line.trim()).map((line) => line.search(/\S/)));
  return lines
    .map((line) => line.slice(indent))
    .join('\n')
    .trim();
}
