// Runs Jest on another Node.js, that of the npm package node-<platform>-<architecture>, which needs no install script.
//   node scripts/on-node.mjs 24                    the tests that "short" of test/conformance/versions.json names
//   node scripts/on-node.mjs 24 test/unit/watch    these
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { node, short } = JSON.parse(readFileSync('test/conformance/versions.json', 'utf8'));
const [major, ...tests] = process.argv.slice(2);
if (!node[major]) throw new Error(`No Node "${major}"; there are: ${Object.keys(node).join(', ')}.`);

const folder = mkdtempSync(join(tmpdir(), 'polymongo-node-'));
try {
  const name = `node-${process.platform}-${process.arch}`;
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: { [name]: node[major] } }));
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], { cwd: folder });
  const binary = join(folder, 'node_modules', name, 'bin');
  const env = { ...process.env, PATH: `${binary}:${process.env.PATH}` };
  run(join(binary, 'node'), ['--version'], { env });
  const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
  run(join(binary, 'node'), [...jest, ...(tests.length > 0 ? tests : short)], { env });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function run(program, args, options) {
  const { status } = spawnSync(program, args, { ...options, stdio: 'inherit' });
  if (status === 0) return;
  process.exitCode = 1;
  throw new Error(`${program} ${args.join(' ')} ended with ${status}`);
}
