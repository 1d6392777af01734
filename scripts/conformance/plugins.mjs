// Runs the own tests of mongoose plugins twice against an embedded server: with plain models, and with wrapped ones.
//   npm run conformance:plugins -- --checkouts DIR [--only RE] [--work DIR] [--json FILE]
// DIR holds a clone of each repository in plugins.json, under its name. Each is copied to a folder of its own in the work
// directory (kept, so a second run installs nothing), with this package as npm packs it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { compare, readResults, report, startServer } from './comparison.mjs';

const here = import.meta.dirname;
const root = resolve(here, '../..');
const { values } = parseArgs({
  options: {
    checkouts: { type: 'string' },
    only: { type: 'string', default: '.' },
    work: { type: 'string', default: join(tmpdir(), 'polymongo-plugins') },
    json: { type: 'string' },
  },
});
if (!values.checkouts) throw new Error('--checkouts DIR: a folder with a clone of each repository of plugins.json.');
const adapter = join(here, 'plugins.adapter.cjs');
const jobs = JSON.parse(readFileSync(join(here, 'plugins.json'), 'utf8')).filter((job) =>
  new RegExp(values.only).test(job.name),
);

mkdirSync(values.work, { recursive: true });
const { stdout } = spawnSync('npm', ['pack', '--silent', '--pack-destination', values.work], {
  cwd: root,
  encoding: 'utf8',
});
const tarball = join(values.work, stdout.trim().split('\n').at(-1));

const suites = [];
for (const job of jobs) {
  const folder = install(job);
  const plain = await run(job, folder, false);
  const wrapped = await run(job, folder, true);
  suites.push({ suite: job.name, commit: job.commit, mongoose: job.mongoose, ...compare(plain, wrapped) });
}
report(suites, values.json);

/** The repository at its commit, without what it needs to develop, and beside it what its tests need. */
function install({ name, commit, folder: inside = '.', mongoose, packages, build }) {
  const folder = join(values.work, name);
  const run = (command, args) => {
    const { status, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${name}: ${command} failed.\n${stderr}`);
  };
  const options = ['--no-save', '--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund'];
  if (!existsSync(join(folder, 'node_modules'))) {
    mkdirSync(folder, { recursive: true });
    const strip = inside === '.' ? 0 : inside.split('/').length;
    const checkout = join(resolve(values.checkouts), name);
    run('sh', ['-c', `git -C "${checkout}" archive ${commit} ${inside} | tar x --strip-components=${strip}`]);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    for (const key of ['devDependencies', 'peerDependencies', 'scripts']) delete manifest[key];
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    const peers = ['@nestjs/common@11', '@nestjs/core@11', 'reflect-metadata@0.2', 'rxjs@7'];
    run('npm', ['install', ...options, `mongoose@${mongoose}`, ...peers, tarball, ...packages]);
  }
  if (build) run('sh', ['-c', build]);
  const installed = join(folder, 'node_modules/nestjs-polymongo');
  rmSync(installed, { recursive: true, force: true });
  mkdirSync(installed, { recursive: true });
  run('tar', ['xzf', tarball, '--strip-components=1', '-C', installed]);
  return folder;
}

async function run(
  { name, runner, files = [], arguments: more = [], nodeOptions = '', connects = true },
  folder,
  isWrapped,
) {
  const server = await startServer();
  const results = join(values.work, `${name}.results`);
  rmSync(results, { force: true });
  const commands = {
    mocha: [
      'node_modules/mocha/bin/mocha.js',
      ...more,
      '--no-config',
      '--exit',
      '--timeout',
      '10000',
      '--reporter',
      join(here, 'lines.reporter.cjs'),
      '--require',
      adapter,
      ...files,
    ],
    jest: [
      'node_modules/jest/bin/jest.js',
      ...more,
      '--runInBand',
      '--forceExit',
      '--json',
      '--outputFile',
      results,
      '--setupFiles',
      adapter,
      ...files,
    ],
    vitest: ['node_modules/vitest/vitest.mjs', 'run', ...more, '--reporter', 'json', '--outputFile', results, ...files],
  };
  const { stdout, stderr, status } = spawnSync(process.execPath, commands[runner], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 300_000,
    env: {
      ...process.env,
      MONGODB_URI: server.uri,
      CONFORMANCE_RESULTS: results,
      CONFORMANCE_WRAPPED: isWrapped ? '1' : '',
      CONFORMANCE_CONNECT: connects ? '' : '1',
      NODE_OPTIONS: runner === 'vitest' ? `--require ${adapter}` : nodeOptions,
    },
  });
  await server.stop();
  const tests = readResults(results, runner);
  if (tests.size === 0) console.log(`${name} ended with ${status}:\n${(stdout + stderr).slice(-2000)}`);
  return tests;
}
