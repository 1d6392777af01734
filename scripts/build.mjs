// Builds the packages in these folders, in this order: dist/esm and dist/cjs with their types. With --sample it only makes
// the JavaScript that `npm start` needs.
//   node scripts/build.mjs packages/embedded-mongo .
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { compile } from './compile.mjs';

const folders = process.argv.slice(2);
if (folders[0] === '--sample') {
  await compile('packages/embedded-mongo/src', 'packages/embedded-mongo/dist/esm');
  await compile('lib', 'dist/esm');
  await compile('sample-app', 'sample-app/dist');
} else folders.forEach(build);

function build(folder) {
  for (const output of ['dist/esm', 'dist/cjs']) rmSync(join(folder, output), { recursive: true, force: true }); // what is gone would be packed
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  for (const project of ['tsconfig.build.json', 'tsconfig.cjs.json']) {
    const { status } = spawnSync(process.execPath, [tsc, '-p', project], { cwd: folder, stdio: 'inherit' });
    if (status !== 0) process.exit(status ?? 1);
  }
  mkdirSync(join(folder, 'dist/cjs'), { recursive: true });
  writeFileSync(join(folder, 'dist/cjs/package.json'), '{ "type": "commonjs" }\n');
  const { bin = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  for (const file of Object.values(bin)) chmodSync(join(folder, file), 0o755);
}
