// Runs the driver specification tests of ../shared/conformance against the embedded server, and fails below the last
// figure reached (test/conformance/floor.json).
//   node scripts/conformance.mjs [--counts FILE] [--json FILE] [--only RE]
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { counts: { type: 'string' }, json: { type: 'string' }, only: { type: 'string' } },
});
const suite = resolve('../shared/conformance');
const folder = process.env.CONFORMANCE_DIR ?? mkdtempSync(join(tmpdir(), 'conformance-'));
if (!existsSync(join(folder, 'node_modules'))) {
  cpSync(suite, folder, { recursive: true });
  spawnSync('chmod', ['-R', 'u+w', folder]);
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--silent'], {
    cwd: folder,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
}

// In a thread of its own: this one waits for the runner.
const server = new Worker(
  `import('${new URL('../dist/esm/testing/index.js', import.meta.url)}').then(async ({ EmbeddedMongo }) => {
    const { uri } = await EmbeddedMongo.start();
    require('node:worker_threads').parentPort.postMessage(uri);
  })`,
  { eval: true },
);
const uri = await new Promise((done, fail) => server.once('message', done).once('error', fail));
const out = join(mkdtempSync(join(tmpdir(), 'conformance-result-')), 'result.json');
const args = ['run.mjs', '--uri', uri, '--tests', 'spec', '--check-events', '--fail-points', '--json', out];
spawnSync(process.execPath, values.only ? [...args, '--only', values.only] : args, { cwd: folder, stdio: 'inherit' });
await server.terminate();

const { totals, results } = JSON.parse(readFileSync(out, 'utf8'));
if (values.json) writeFileSync(values.json, JSON.stringify(results));
const floor = JSON.parse(readFileSync('test/conformance/floor.json', 'utf8')).passed;
const missing = Math.max(0, floor - totals.passed);
console.log(`conformance: ${totals.passed} of ${totals.passed + totals.failed} pass; the floor is ${floor}`);
if (values.counts) writeFileSync(values.counts, `${totals.passed} ${missing}\n`);
process.exit(missing > 0 && !values.only ? 1 : 0);
