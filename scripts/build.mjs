// Builds dist/esm and dist/cjs; with --sample only what `npm start` needs: dist/esm and the sample app.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const sampleOnly = process.argv.includes('--sample');
const projects = ['tsconfig.build.json', sampleOnly ? 'sample-app/tsconfig.json' : 'tsconfig.cjs.json'];

for (const project of projects) {
  const { status } = spawnSync(process.execPath, [tsc, '-p', project], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
if (!sampleOnly) {
  mkdirSync('dist/cjs', { recursive: true });
  writeFileSync('dist/cjs/package.json', '{ "type": "commonjs" }\n');
}
if (existsSync('dist/esm/cli/main.js')) chmodSync('dist/esm/cli/main.js', 0o755);
