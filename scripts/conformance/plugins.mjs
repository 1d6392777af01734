// Runs the own tests of mongoose plugins, and of @nestjs/mongoose, twice against an embedded server: with plain models,
// and with wrapped ones.
//   npm run conformance:plugins -- --checkouts DIR [--only RE] [--work DIR] [--json FILE] [--update]
//   npm run conformance:plugins -- --check
// DIR holds a clone of each repository in plugins.json, as owner+name. Each is copied to a folder of its own in the work
// directory (kept, so a second run installs nothing). --json writes what differs, with its errors; --update writes the
// figures to test/conformance/plugins.json, where each differing test has a reason; --check only compares that list with
// plugins.json and docs/compatibility.md.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compare, readResults, report, startServer } from './comparison.mjs';
import { folderOf, install, pack, placeFiles } from './plugins.install.mjs';
import { jobs, problems, update } from './plugins.list.mjs';
import { commandOf, environmentOf } from './plugins.runners.mjs';

const { values } = parseArgs({
  options: {
    checkouts: { type: 'string' },
    only: { type: 'string', default: '.' },
    work: { type: 'string', default: join(tmpdir(), 'polymongo-plugins') },
    json: { type: 'string' },
    update: { type: 'boolean' },
    check: { type: 'boolean' },
  },
});
if (values.check) {
  for (const problem of problems()) {
    console.log(problem);
    process.exitCode = 1;
  }
} else await runAll();

async function runAll() {
  if (!values.checkouts) throw new Error('--checkouts DIR: a folder with a clone of each repository of plugins.json.');
  const tarball = pack(values.work);
  const suites = [];
  for (const job of jobs.filter(({ name }) => new RegExp(values.only).test(name))) {
    const folder = install(job, { ...values, tarball });
    const figures = await compareWays(job, folder);
    suites.push({ suite: job.name, ...figures });
    if (values.update) update(job, figures, folder);
  }
  report(suites, values.json);
}

/** Wrapped passes what does so in every way: through the wrapper itself, and through a model that `.db(name)` gives. */
async function compareWays(job, folder) {
  const plain = await run(job, folder);
  const differing = new Map();
  let passing;
  for (const as of job.replaced ? ['module'] : ['wrapper', 'database']) {
    const compared = compare(plain, await run(job, folder, as));
    passing = compared.plain;
    for (const { title, error } of compared.differing) {
      const known = differing.get(title);
      differing.set(title, { title, as: [...(known?.as ?? []), as], error: known?.error ?? error });
    }
  }
  return {
    tests: plain.size,
    plain: passing,
    wrapped: passing - differing.size,
    differing: [...differing.values()],
  };
}

/** @param as 'wrapper', 'database' or 'module' (files of the suite are replaced); none for the plain run */
async function run(job, folder, as = '') {
  const server = await startServer();
  const results = `${folderOf(job, values.work)}.${as || 'plain'}`;
  const models = `${results}.models`;
  for (const file of [results, models]) rmSync(file, { force: true });
  placeFiles(job, folder, as === 'module');
  const { args, nodeOptions } = commandOf(job, results);
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 600_000,
    env: {
      ...process.env,
      MONGODB_URI: server.uri,
      ...environmentOf(job, server.uri),
      CONFORMANCE_RESULTS: results,
      CONFORMANCE_MODELS: models,
      CONFORMANCE_AS: as === 'module' ? '' : as,
      CONFORMANCE_CONNECT: job.connects === false ? '1' : '',
      NODE_OPTIONS: nodeOptions,
    },
  });
  await server.stop();
  writeFileSync(`${results}.log`, stdout + stderr);
  const tests = readResults(results, job.runner);
  if (tests.size === 0) throw new Error(`${job.name} ended with ${status}:\n${(stdout + stderr).slice(-2000)}`);
  if (as && as !== 'module' && !existsSync(models)) throw new Error(`${job.name} made no wrapped model as ${as}.`);
  return tests;
}
