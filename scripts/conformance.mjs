// Runs the driver specification tests of ../shared/conformance against the embedded server, and fails below the last
// figure reached (packages/embedded-mongo/test/conformance/floor.json).
//   node scripts/conformance.mjs [--counts FILE] [--json FILE] [--only RE]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installSuite, startServer } from './conformance.server.mjs';

const { values } = parseArgs({
  options: { counts: { type: 'string' }, json: { type: 'string' }, only: { type: 'string' } },
});
const folder = installSuite();
const server = await startServer();
const out = join(mkdtempSync(join(tmpdir(), 'conformance-result-')), 'result.json');
const args = ['run.mjs', '--uri', server.uri, '--tests', 'spec', '--check-events', '--fail-points', '--json', out];
spawnSync(process.execPath, values.only ? [...args, '--only', values.only] : args, { cwd: folder, stdio: 'inherit' });
await server.stop();

const { totals, results } = JSON.parse(readFileSync(out, 'utf8'));
if (values.json) writeFileSync(values.json, JSON.stringify(results));
const floor = JSON.parse(readFileSync('packages/embedded-mongo/test/conformance/floor.json', 'utf8')).passed;
const missing = Math.max(0, floor - totals.passed);
console.log(`conformance: ${totals.passed} of ${totals.passed + totals.failed} pass; the floor is ${floor}`);
if (values.counts) writeFileSync(values.counts, `${totals.passed} ${missing}\n`);
process.exit(missing > 0 && !values.only ? 1 : 0);
