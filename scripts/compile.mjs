// Compiles TypeScript to JavaScript without checking types, in a second: what `npm start` runs on a fresh clone.
import { transformFile } from '@swc/core';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const options = {
  swcrc: false,
  sourceMaps: 'inline',
  module: { type: 'es6' },
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: true },
  },
};

/** Compiles every .ts file below `source` into `target`. */
export async function compile(source, target) {
  const files = (await readdir(source, { recursive: true })).filter(
    (file) => file.endsWith('.ts') && !file.startsWith('dist'),
  );
  await Promise.all(
    files.map(async (file) => {
      const { code } = await transformFile(join(source, file), options);
      const out = join(target, file.replace(/\.ts$/, '.js'));
      await mkdir(dirname(out), { recursive: true });
      await writeFile(out, code);
    }),
  );
}
