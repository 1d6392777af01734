// Packs the package, installs the tarball in an empty folder as a user does, and checks that every export can be
// imported and required by name, that both kinds of types compile, that the binary runs, and that an application works
// on the newest and on the oldest supported major versions of Nest and mongoose.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const OLDEST = [
  '@nestjs/common@11',
  '@nestjs/core@11',
  '@nestjs/platform-express@11',
  '@nestjs/mongoose@11',
  'mongoose@8.16',
];
const root = process.cwd();
const folder = mkdtempSync(join(tmpdir(), 'polymongo-pack-'));
const run = (command, args, cwd = folder) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const entries = Object.keys(manifest.exports).filter((entry) => entry !== './package.json');
const specifiers = entries.map((entry) => manifest.name + entry.slice(1));

try {
  const [{ filename, files }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], root));
  const stray = files.filter(({ path }) => !/^(dist\/|package\.json$|README\.md$|LICENSE$|CHANGELOG\.md$)/.test(path));
  if (stray.length)
    throw new Error(`The tarball holds files nobody asked for: ${stray.map(({ path }) => path).join(', ')}`);

  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const peers = [
    ...Object.keys(manifest.peerDependencies),
    'reflect-metadata',
    '@nestjs/platform-express',
    'typescript',
    '@types/node',
    ...optionalPeers(),
  ];
  run('npm', ['install', '--no-audit', '--no-fund', join(folder, filename), ...peers.map(installed)]);

  const lines = specifiers.map((specifier, i) => [
    `import * as m${i} from '${specifier}';`,
    `for (const name of ${JSON.stringify(namesOf(specifier))}) if (m${i}[name] === undefined) throw new Error(name + ' of ${specifier} is undefined');`,
  ]);
  writeFileSync(
    join(folder, 'esm.mjs'),
    `import 'reflect-metadata';\n${lines.flat().join('\n')}\nconsole.log('import: ok');\n`,
  );
  const required = lines.map(([load, use]) => [
    load.replace(/import \* as (\w+) from '(.+)';/, "const $1 = require('$2');"),
    use,
  ]);
  writeFileSync(
    join(folder, 'cjs.cjs'),
    `require('reflect-metadata');\n${required.flat().join('\n')}\nconsole.log('require: ok');\n`,
  );
  process.stdout.write(run('node', ['esm.mjs']) + run('node', ['cjs.cjs']));

  const typed = specifiers
    .map(
      (specifier, i) =>
        `import * as t${i} from '${specifier}';\nexport const names${i}: string[] = Object.keys(t${i});`,
    )
    .join('\n');
  writeFileSync(join(folder, 'types.mts'), typed);
  writeFileSync(join(folder, 'types.cts'), typed);
  const options = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--module',
    'nodenext',
    '--target',
    'es2022',
    '--types',
    'node',
  ];
  run('npx', ['tsc', ...options, 'types.mts', 'types.cts']);
  console.log('types for import and require: ok');

  const version = run('npx', ['polymongo', '--version']).trim();
  if (version !== manifest.version) throw new Error(`polymongo --version says ${version}, not ${manifest.version}`);
  console.log(`polymongo ${version}: ok`);

  copyFileSync(join(root, 'scripts/smoke/app.smoke.cjs'), join(folder, 'app.smoke.cjs'));
  process.stdout.write(run('node', ['app.smoke.cjs']));
  run('npm', ['install', '--no-audit', '--no-fund', ...OLDEST]);
  process.stdout.write(run('node', ['app.smoke.cjs']));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The version that the lockfile pins, so that the check does not change under us. */
function installed(name) {
  return `${name}@${JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version}`;
}

function optionalPeers() {
  return Object.keys(manifest.peerDependenciesMeta ?? {}).filter((name) => !(name in manifest.peerDependencies));
}

/** The runtime names of an entry point, read from what was built. */
function namesOf(specifier) {
  const code = `import('reflect-metadata').then(() => import('${specifier}')).then((m) => console.log(JSON.stringify(Object.keys(m))))`;
  return JSON.parse(run('node', ['--input-type=module', '-e', code], root));
}
