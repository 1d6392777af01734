import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The TypeScript blocks of the README. */
export function readmeBlocks(): string[] {
  const text = readFileSync('README.md', 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code]) => code!.trim());
}

/** The regions of the files in test/e2e/readme, which tests run. */
export function snippetRegions(): string[] {
  const folder = join('test', 'e2e', 'readme');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
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
