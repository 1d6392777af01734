// A plugin's repository at its commit in a folder of its own, with what its tests need and this package as npm packs it.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const here = import.meta.dirname;
const root = resolve(here, '../..');
const pinned = JSON.parse(readFileSync(join(root, 'test/conformance/versions.json'), 'utf8'));

/** This package's tarball. */
export function pack(work) {
  mkdirSync(work, { recursive: true });
  return join(work, run(root, 'npm', ['pack', '--silent', '--pack-destination', work]).trim().split('\n').at(-1));
}

/** @returns the folder; what is in it already is left as it is, but this package, which is always the given one */
export function install(job, { checkouts, work, tarball }) {
  const folder = folderOf(job, work);
  if (!existsSync(join(folder, 'node_modules'))) prepare(job, folder, checkouts, tarball);
  const installed = join(folder, 'node_modules/nestjs-polymongo');
  rmSync(installed, { recursive: true, force: true });
  mkdirSync(installed, { recursive: true });
  run(folder, 'tar', ['xzf', tarball, '--strip-components=1', '-C', installed]);
  return folder;
}

export const folderOf = ({ name }, work) => join(work, name.replace(/\W+/g, '-'));

function prepare(
  { repository, commit, folder: inside = '.', mongoose, nest = '11 latest', packages, links },
  to,
  from,
  tarball,
) {
  mkdirSync(to, { recursive: true });
  const checkout = join(resolve(from), repository.replace('/', '+'));
  const strip = inside === '.' ? 0 : inside.split('/').length;
  run(to, 'sh', ['-c', `git -C "${checkout}" archive ${commit} ${inside} | tar x --strip-components=${strip}`]);
  const nestPackages = Object.entries(pinned.nest[nest]).map(([name, version]) => `@nestjs/${name}@${version}`);
  const peers = [`mongoose@${mongoose}`, ...nestPackages, 'reflect-metadata@0.2.2', 'rxjs@7.8.2'];
  // Without what it needs to develop.
  const manifest = JSON.parse(readFileSync(join(to, 'package.json'), 'utf8'));
  for (const key of ['devDependencies', 'peerDependencies', 'scripts']) delete manifest[key];
  const isThereToo = [...peers, ...packages].some((one) => one.startsWith(`${manifest.name}@`));
  if (isThereToo) manifest.name += '-tests'; // the published one is what its name means
  writeFileSync(join(to, 'package.json'), JSON.stringify(manifest));
  const options = ['--no-save', '--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund'];
  run(to, 'npm', ['install', ...options, ...peers, tarball, ...packages]);
  for (const [link, target] of Object.entries(links ?? {}))
    symlinkSync(join(to, 'node_modules', target), join(to, link));
}

/** For the wrapped run: files of ours in the place of the repository's; for the plain one, the repository's again. */
export function placeFiles({ replaced = {} }, folder, isWrapped) {
  for (const [file, ours] of Object.entries(replaced)) {
    const [path, kept] = [join(folder, file), join(folder, '.replaced', file)];
    mkdirSync(dirname(kept), { recursive: true });
    if (!existsSync(kept)) copyFileSync(path, kept);
    copyFileSync(isWrapped ? join(here, ours) : kept, path);
  }
}

function run(cwd, command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} failed in ${cwd}.\n${stdout}${stderr}`);
  return stdout;
}
