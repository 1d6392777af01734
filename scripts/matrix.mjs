// Runs a suite of tests on versions of mongoose and Nest that test/conformance/versions.json pins, each pair (a cell) in
// a folder of its own: the repository's files, the cell's packages from the registry, all else linked from node_modules.
//   node scripts/matrix.mjs                    the cells, one a line
//   node scripts/matrix.mjs --corners          the two that .ci/run runs
//   node scripts/matrix.mjs '8 lowest' '11 latest'            one cell, with the suite "models"
//   node scripts/matrix.mjs '9 latest' '11 latest' tenancy    with another one
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const FILES = [
  ...['lib', 'packages', 'test'],
  ...['jest.config.mjs', 'jest.project.mjs', 'jest.shared.mjs', 'package.json', 'tsconfig.json'],
];
const root = resolve(import.meta.dirname, '..');
const pinned = JSON.parse(readFileSync(join(root, 'test/conformance/versions.json'), 'utf8'));

const [mongoose, nest, suite = 'models'] = process.argv.slice(2);
const cells = Object.keys(pinned.mongoose).flatMap((m) =>
  Object.keys(pinned.nest).map((n) => ({ mongoose: m, nest: n })),
);
if (!mongoose) for (const cell of cells) console.log(`'${cell.mongoose}' '${cell.nest}'`);
else {
  const chosen = mongoose === '--corners' ? pinned.corners : [{ mongoose, nest }];
  const failed = chosen.filter((cell) => !runCell(cell));
  process.exit(failed.length > 0 ? 1 : 0);
}

function runCell(cell) {
  const version = pinned.mongoose[cell.mongoose];
  const nestVersions = pinned.nest[cell.nest];
  if (!version || !nestVersions)
    throw new Error(
      `There is no cell '${cell.mongoose}' '${cell.nest}'; they are:\n${cells.map((c) => `'${c.mongoose}' '${c.nest}'`).join('\n')}`,
    );
  const { tests, packages: more } = pinned.suites[suite];
  console.log(`--- mongoose ${version}, Nest ${nestVersions.core}`);
  const packages = { mongoose: version, ...more?.[cell.nest] };
  for (const [name, nestVersion] of Object.entries(nestVersions)) packages[`@nestjs/${name}`] = nestVersion;
  const folder = mkdtempSync(join(tmpdir(), 'polymongo-cell-'));
  try {
    for (const file of FILES) cpSync(join(root, file), join(folder, file), { recursive: true, filter: isSource });
    install(folder, packages);
    const jest = ['--experimental-vm-modules', '--no-warnings', join(root, 'node_modules/jest/bin/jest.js')];
    const { status } = spawnSync(process.execPath, [...jest, ...tests], {
      cwd: folder,
      stdio: 'inherit',
    });
    return status === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Not what was built of it. */
function isSource(path) {
  return !/\/packages\/[^/]+\/(dist|node_modules)$/.test(path);
}

/** What is installed already is taken from there; the rest comes from the registry. */
function install(folder, packages) {
  const installed = (name) =>
    JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
  const isInstalled = Object.entries(packages).every(([name, version]) => installed(name) === version);
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  if (!isInstalled) {
    const manifest = readFileSync(join(folder, 'package.json'));
    // reflect-metadata and rxjs are the ones beside Nest, as there may be only one of each.
    const dependencies = { ...packages, 'reflect-metadata': '^0.2', rxjs: '^7' };
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
    const { status } = spawnSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], {
      cwd: folder,
      stdio: 'inherit',
    });
    if (status !== 0) throw new Error(`npm install failed for ${JSON.stringify(packages)}.`);
    writeFileSync(join(folder, 'package.json'), manifest);
  }
  for (const name of readdirSync(join(root, 'node_modules'))) {
    const entries = name.startsWith('@')
      ? readdirSync(join(root, 'node_modules', name)).map((one) => join(name, one))
      : [name];
    mkdirSync(name.startsWith('@') ? join(modules, name) : modules, { recursive: true });
    for (const entry of entries) {
      if (!existsSync(join(modules, entry))) symlinkSync(join(root, 'node_modules', entry), join(modules, entry));
    }
  }
}
