// Runs mongoose's own tests twice against an embedded server: on plain connections, and through wrapped models.
//   npm run conformance:mongoose -- --checkout DIR [--only RE] [--as database|wrapper] [--plain FILE] [--json FILE]
//   npm run conformance:mongoose -- --check
// DIR is a clone of github:Automattic/mongoose at a tag, after `npm install --ignore-scripts`; it is not changed. The
// files are run one by one, each on a server of its own. --plain keeps what the plain runs gave in FILE, for the next time. Fails
// when a test differs that test/conformance/mongoose.json does not name; --check only compares that list with
// docs/compatibility.md.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { compare, readResults, report, startServer } from './comparison.mjs';
import { problems, unlisted } from './mongoose.list.mjs';

const here = import.meta.dirname;
const { values } = parseArgs({
  options: {
    checkout: { type: 'string' },
    only: { type: 'string', default: '.' },
    as: { type: 'string', default: 'database' },
    plain: { type: 'string' },
    json: { type: 'string' },
    check: { type: 'boolean' },
  },
});
if (values.check) {
  const found = problems();
  for (const problem of found) console.log(problem);
  process.exit(found.length > 0 ? 1 : 0);
}
if (!values.checkout) throw new Error('--checkout DIR: a clone of github:Automattic/mongoose, installed.');
const checkout = resolve(values.checkout);
const results = join(mkdtempSync(join(tmpdir(), 'conformance-')), 'results');

/** Files whose tests open a connection; the encryption ones need a server of their own kind. */
const files = readdirSync(join(checkout, 'test'), { recursive: true })
  .filter((file) => file.endsWith('.test.js') && !file.startsWith('encryption') && new RegExp(values.only).test(file))
  .filter((file) => /common'\)/.test(readFileSync(join(checkout, 'test', file), 'utf8')))
  .sort();

const known = values.plain && existsSync(values.plain) ? JSON.parse(readFileSync(values.plain, 'utf8')) : {};
const suites = [];
for (const file of files) {
  known[file] ??= Object.fromEntries(await run(file, false));
  if (values.plain) writeFileSync(values.plain, JSON.stringify(known));
  const figures = { suite: file, ...compare(new Map(Object.entries(known[file])), await run(file, true)) };
  console.log(`${file}: ${figures.wrapped} of ${figures.plain}`);
  suites.push(figures);
}
report(suites, values.json);
const news = unlisted(
  values.as,
  suites.flatMap(({ differing }) => differing.map(({ title }) => title)),
);
for (const title of news) console.log(`not listed: ${title}`);
if (news.length > 0) process.exitCode = 1;

async function run(file, isWrapped) {
  const server = await startServer();
  rmSync(results, { force: true });
  const adapter = isWrapped ? ['--require', join(here, 'mongoose.adapter.cjs')] : [];
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      'node_modules/mocha/bin/mocha.js',
      ...['--no-config', '--exit', '--timeout', '10000', '--reporter', join(here, 'lines.reporter.cjs')],
      ...[...adapter, '--require', 'test/mocha-fixtures.js', join('test', file)],
    ],
    {
      cwd: checkout,
      encoding: 'utf8',
      timeout: 600_000,
      env: {
        ...process.env,
        NODE_OPTIONS: '--disable-warning=MONGOOSE',
        START_REPLICA_SET: '1',
        REPLICA_SET: 'rs0',
        MONGOOSE_TEST_URI: server.uri,
        MONGOOSE_REPLSET_URI: server.uri,
        CONFORMANCE_RESULTS: results,
        POLYMONGO_DIST: resolve(here, '../../dist/cjs'),
        POLYMONGO_AS: values.as,
      },
    },
  );
  await server.stop();
  if (!existsSync(results)) console.log(`${file} ended with ${status}:\n${(stdout + stderr).slice(-2000)}`);
  return readResults(results);
}
