// Packs both packages and installs the tarballs in an empty folder as users do: the server alone, then the module without
// it, then the two together. Every export can be imported and required by name, both kinds of types compile, the binaries
// run, and an application works on the newest and on the oldest supported major versions of Nest and mongoose.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkEntries, checkTypes } from './package-types.mjs';

const OLDEST = [
  '@nestjs/common@11',
  '@nestjs/core@11',
  '@nestjs/platform-express@11',
  '@nestjs/mongoose@11',
  '@nestjs/terminus@11',
  'mongoose@8.16',
];
/** What one part adds to the types of another. */
const USED_TYPES = `
import type { PolyModel, TenantModel } from 'nestjs-polymongo';
declare const users: PolyModel<{ name: string }>;
export const changes = [users.watch$(), users.db('acme').watch$(), users.tenant().watch$()];
declare const mine: TenantModel<{ name: string }>;
mine.watch$().subscribe((change) => change._id);
`;
/** Optional peers that one entry uses: each entry can be imported without its own. */
const OF_ENTRIES = ['@nestjs/terminus', 'prom-client', '@opentelemetry/api'];
const SERVER = 'packages/embedded-mongo';
const root = process.cwd();
const run = (command, args, cwd = folder) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
const folder = mkdtempSync(join(tmpdir(), 'polymongo-pack-'));
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const serverManifest = JSON.parse(readFileSync(join(SERVER, 'package.json'), 'utf8'));
const specifiers = [manifest, serverManifest].flatMap(({ name, exports }) =>
  Object.keys(exports)
    .filter((entry) => entry !== './package.json')
    .map((entry) => name + entry.slice(1)),
);

try {
  const [tarball, serverTarball] = [pack(root), pack(join(root, SERVER))];
  checkServerAlone(serverTarball);

  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const absent = [serverManifest.name, ...OF_ENTRIES];
  const peers = Object.keys(manifest.peerDependencies).filter((name) => !absent.includes(name));
  const others = ['reflect-metadata', '@nestjs/platform-express', 'typescript', '@types/node'];
  install(folder, [tarball, ...[...peers, ...others].map(installed)]);
  checkWithoutServer();
  checkWithoutPeers();
  checkSourceMaps();
  install(folder, [serverTarball]);

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
    .concat(USED_TYPES)
    .join('\n');
  writeFileSync(join(folder, 'types.mts'), typed);
  writeFileSync(join(folder, 'types.cts'), typed);
  writeFileSync(join(folder, 'types.ts'), typed);
  checkTypes({ folder, run, install });
  checkEntries([tarball, serverTarball], { folder, run, install });

  checkVersion('polymongo', manifest.version, folder);

  const smokes = ['app.smoke.cjs', 'entries.smoke.cjs'];
  for (const file of smokes) copyFileSync(join(root, 'scripts/smoke', file), join(folder, file));
  install(folder, OF_ENTRIES.map(installed));
  for (const file of smokes) process.stdout.write(run('node', [file]));
  install(folder, OLDEST);
  for (const file of smokes) process.stdout.write(run('node', [file]));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The version that the lockfile pins, so that the check does not change under us. */
function installed(name) {
  return `${name}@${JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version}`;
}

function install(cwd, packages) {
  run('npm', ['install', '--no-audit', '--no-fund', ...packages], cwd);
}

/** The tarball of a package, which has in it what its users need and nothing else. */
function pack(cwd) {
  const [{ filename, files }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], cwd));
  const wanted = /^((dist|docs|lib|src)\/|package\.json$|README\.md$|LICENSE$|CHANGELOG\.md$)/;
  const stray = files.filter(({ path }) => !wanted.test(path));
  if (stray.length)
    throw new Error(`${filename} holds files nobody asked for: ${stray.map(({ path }) => path).join(', ')}`);
  return join(folder, filename);
}

/** The server by itself has no Nest and no mongoose beside it, and runs. */
function checkServerAlone(tarball) {
  const alone = join(folder, 'alone');
  mkdirSync(alone);
  writeFileSync(join(alone, 'package.json'), '{ "private": true }');
  install(alone, [tarball]);
  const listed = Object.keys(JSON.parse(readFileSync(join(alone, 'package-lock.json'), 'utf8')).packages);
  const unwanted = listed.filter((path) => /node_modules\/(@nestjs|mongoose|mongodb|rxjs)/.test(path));
  if (unwanted.length) throw new Error(`${serverManifest.name} brings ${unwanted.join(', ')}`);
  checkVersion(serverManifest.name, serverManifest.version, alone);
  const code = `import('embedded-mongo').then(async ({ EmbeddedMongo }) => (await EmbeddedMongo.start()).stop())`;
  run('node', ['--input-type=module', '-e', code], alone);
  run('node', ['--input-type=commonjs', '-e', code.replace("import('embedded-mongo')", "Promise.resolve(require('embedded-mongo'))")], alone); // prettier-ignore
  console.log(`${serverManifest.name} with ${listed.length - 2} packages beside it: ok`);
}

function checkVersion(binary, expected, cwd) {
  const version = run('npx', ['--no-install', binary, '--version'], cwd).trim();
  if (version !== expected) throw new Error(`${binary} --version says ${version}, not ${expected}`);
  console.log(`${binary} ${version}: ok`);
}

/** Everything can be imported; what needs the server says which command installs it. */
function checkWithoutServer() {
  const use = 'console.log(await m.EmbeddedMongo.start().catch((error) => error.message))';
  const load = { module: "await import('nestjs-polymongo/testing')", commonjs: "require('nestjs-polymongo/testing')" };
  const answers = Object.entries(load).map(([type, loaded]) =>
    run('node', [`--input-type=${type}`, '-e', `(async () => { const m = ${loaded}; ${use} })()`]),
  );
  const cli = spawnSync('npx', ['--no-install', 'polymongo', 'embedded'], { cwd: folder, encoding: 'utf8' });
  for (const answer of [...answers, cli.stderr]) {
    if (!/: npm install --save-dev embedded-mongo\n$/.test(answer)) throw new Error(`without the server: ${answer}`);
  }
  if (cli.status !== 1) throw new Error(`polymongo embedded without the server ends with ${cli.status}`);
  console.log('without the server: ok');
}

/** What needs a package that is not installed says what installs it. */
function checkWithoutPeers() {
  const calls = {
    'prom-client': ['prometheus', 'collectPrometheusMetrics'],
    '@opentelemetry/api': ['opentelemetry', 'instrumentOpenTelemetry'],
  };
  for (const [peer, [entry, call]] of Object.entries(calls)) {
    for (const [type, load] of [
      ['module', (name) => `await import('${name}')`],
      ['commonjs', (name) => `require('${name}')`],
    ]) {
      const wrapper = `new (${load('nestjs-polymongo')}).PolyMongoWrapper({ mongoURI: 'mongodb://h', handleSignals: false })`;
      const use = `console.log(await (${load(`nestjs-polymongo/${entry}`)}).${call}(${wrapper}).catch((error) => error.message))`;
      const answer = run('node', [`--input-type=${type}`, '-e', `(async () => { ${use} })()`]);
      if (!answer.endsWith(`: npm install ${peer}\n`)) throw new Error(`${entry} without ${peer}: ${answer}`);
    }
  }
  console.log('without the peers of entries: ok');
}

/** A stack names the lines of lib, which are there to be read. */
function checkSourceMaps() {
  const fail = "new PolyMongoWrapper({ mongoURI: 'nowhere' })";
  for (const [type, load] of Object.entries({
    module: "import { PolyMongoWrapper } from 'nestjs-polymongo';",
    commonjs: "const { PolyMongoWrapper } = require('nestjs-polymongo');",
  })) {
    const code = `${load} try { ${fail}; } catch (error) { console.log(error.stack); }`;
    const stack = run('node', ['--enable-source-maps', `--input-type=${type}`, '-e', code]);
    const [, file, line] = /\(?(?:file:\/\/)?(\/\S+\/lib\/polymongo\.options\.ts):(\d+):\d+/.exec(stack) ?? [];
    if (!file || readFileSync(file, 'utf8').split('\n').length < Number(line))
      throw new Error(`The source maps of the ${type} build lead nowhere:\n${stack}`);
  }
  console.log('source maps: ok');
}

/** The runtime names of an entry point, read from what was built. */
function namesOf(specifier) {
  const code = `import('reflect-metadata').then(() => import('${specifier}')).then((m) => console.log(JSON.stringify(Object.keys(m))))`;
  return JSON.parse(run('node', ['--input-type=module', '-e', code], root));
}
