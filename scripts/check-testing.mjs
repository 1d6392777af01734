// Runs the tests of scripts/examples/testing as users would: each in a folder of its own, on the packed tarballs, by Jest in
// CommonJS (Nest 11, mongoose 8), Jest in ES modules, Vitest and node:test (the installed Nest and mongoose).
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const EXAMPLES = join(import.meta.dirname, 'examples/testing');
const root = process.cwd();
const folder = mkdtempSync(join(tmpdir(), 'polymongo-testing-'));
const NEST = ['@nestjs/common', '@nestjs/core', '@nestjs/testing'];
const OF_ALL = ['reflect-metadata', 'rxjs'];

/** The version that the lockfile pins, so that the check does not change under us. */
const installed = (name) =>
  `${name}@${JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version}`;
const oldest = [...NEST.map((name) => `${name}@11`), 'mongoose@8.16', ...OF_ALL.map(installed), installed('jest')];
const newest = [...NEST, 'mongoose', ...OF_ALL, 'jest'].map(installed);
const RUNS = [
  { example: 'jest-cjs', packages: oldest, command: ['npx', '--no-install', 'jest'] },
  {
    example: 'jest-esm',
    packages: newest,
    command: ['node', '--experimental-vm-modules', 'node_modules/jest/bin/jest.js'],
  },
  { example: 'vitest', packages: [...newest, 'vitest@4'], command: ['npx', '--no-install', 'vitest', 'run'] },
  { example: 'node-test', packages: newest, command: ['node', '--test', 'users.test.mjs'] },
];
const asked = process.argv.slice(2);

try {
  const tarballs = [root, join(root, 'packages/embedded-mongo')].map(pack);
  for (const { example, packages, command } of RUNS) {
    if (asked.length > 0 && !asked.includes(example)) continue;
    const cwd = join(folder, example);
    mkdirSync(cwd);
    writeFileSync(join(cwd, 'package.json'), '{ "private": true }');
    run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...tarballs, ...packages], cwd);
    cpSync(join(EXAMPLES, example), cwd, { recursive: true });
    const { status, stdout, stderr } = spawnSync(command[0], command.slice(1), { cwd, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${example} failed:\n${stdout}${stderr}`);
    console.log(`${example}: ok`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function run(command, args, cwd) {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function pack(cwd) {
  const [{ filename }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], cwd));
  return join(folder, filename);
}
