// Builds dist/esm and dist/cjs with their types; with --sample only the JavaScript that `npm start` needs.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { compile } from './compile.mjs';

if (process.argv.includes('--sample')) {
  await compile('lib', 'dist/esm');
  await compile('sample-app', 'sample-app/dist');
} else {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  for (const project of ['tsconfig.build.json', 'tsconfig.cjs.json']) {
    const { status } = spawnSync(process.execPath, [tsc, '-p', project], { stdio: 'inherit' });
    if (status !== 0) process.exit(status ?? 1);
  }
  mkdirSync('dist/cjs', { recursive: true });
  writeFileSync('dist/cjs/package.json', '{ "type": "commonjs" }\n');
}
if (existsSync('dist/esm/cli/main.js')) chmodSync('dist/esm/cli/main.js', 0o755);
