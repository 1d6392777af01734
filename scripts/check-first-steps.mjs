// From `nest new` to a query of a tenant with a passing test, as a new user goes, in an empty folder and on the packed
// tarballs, for Nest 11 (CommonJS, ts-jest) and Nest 12 (ES modules, Vitest): how long it takes, and how many lines of
// one's own. What the generated project asks for is pinned in scripts/first-steps.json; its linters are left out.
//   node scripts/check-first-steps.mjs [11] [12]
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAX_LINES = 14;
const root = process.cwd();
const OWN = join(import.meta.dirname, 'examples/first-steps/notes.spec.ts');
const versions = JSON.parse(readFileSync(join(import.meta.dirname, 'first-steps.json'), 'utf8'));
const asked = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'polymongo-first-steps-'));

const lines = readFileSync(OWN, 'utf8')
  .split('\n')
  .filter((line) => line.trim() !== '').length;
if (lines > MAX_LINES) throw new Error(`${OWN} has ${lines} lines, more than ${MAX_LINES}`);

try {
  const tarballs = [root, join(root, 'packages/embedded-mongo')].map(pack);
  for (const [nest, { cli, mongoose, packages }] of Object.entries(versions)) {
    if (asked.length > 0 && !asked.includes(nest)) continue;
    const began = Date.now();
    const flags = ['--skip-install', '--skip-git', '--package-manager', 'npm', '--strict'];
    run('npx', ['--yes', `@nestjs/cli@${cli}`, 'new', `app${nest}`, ...flags], folder);
    const cwd = join(folder, `app${nest}`);
    pin(join(cwd, 'package.json'), packages);
    run('npm', ['install', '--no-audit', '--no-fund', ...tarballs, `mongoose@${mongoose}`], cwd);
    copyFileSync(OWN, join(cwd, 'src/notes.spec.ts'));
    run('npm', ['test'], cwd);
    const seconds = Math.round((Date.now() - began) / 1000);
    run('npm', ['run', 'build'], cwd);
    console.log(`Nest ${nest}: ${lines} lines of one's own, ${seconds} s from nest new to the passing test: ok`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Has a generated project ask for the pinned versions, and for nothing that has none. */
function pin(file, packages) {
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  for (const kind of ['dependencies', 'devDependencies']) {
    const wanted = Object.keys(manifest[kind]).filter((name) => packages[name]);
    manifest[kind] = Object.fromEntries(wanted.map((name) => [name, packages[name]]));
  }
  writeFileSync(file, JSON.stringify(manifest, null, 2));
}

function run(command, args, cwd) {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')} failed:\n${error.stdout}${error.stderr}`, { cause: error });
  }
}

function pack(cwd) {
  const [{ filename }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], cwd));
  return join(folder, filename);
}
