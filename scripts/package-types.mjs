// How the types of a packed package are found and compiled, by the versions and settings of TypeScript that users have.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const nodenext = ['--module', 'nodenext'];
/** What the starter projects of Nest 11 have; it finds subpaths by typesVersions. */
const node10 = ['--module', 'commonjs', '--moduleResolution', 'node10'];
const RESOLUTIONS = {
  '5.4.5': { nodenext, node10 },
  '5.9.3': { nodenext, node10 },
  '6.0.3': {
    nodenext,
    node16: ['--module', 'node16'],
    bundler: ['--module', 'preserve', '--moduleResolution', 'bundler'],
    node10: [...node10, '--ignoreDeprecations', '6.0'],
  },
};
const OPTIONS = '--noEmit --strict --skipLibCheck --target es2022 --types node'.split(' ');
const LINTERS = ['publint@0.3.25', '@arethetypeswrong/cli@0.18.5'];

/** Compiles types.mts, types.cts and, where nothing tells the two apart, types.ts of a folder with everything installed. */
export function checkTypes({ folder, run, install }) {
  for (const [version, resolutions] of Object.entries(RESOLUTIONS)) {
    const at = emptyPackage(folder, `typescript-${version}`, run);
    install(at, [`typescript@${version}`]);
    for (const [resolution, options] of Object.entries(resolutions)) {
      const files = resolution === 'node10' ? ['types.ts'] : ['types.mts', 'types.cts'];
      run('node', [join(at, 'node_modules/typescript/bin/tsc'), ...OPTIONS, ...options, ...files]);
      console.log(`types with TypeScript ${version}, ${resolution}: ok`);
    }
  }
}

/** Has publint and arethetypeswrong look at the entries of tarballs. */
export function checkEntries(tarballs, { folder, run, install }) {
  const at = emptyPackage(folder, 'linters', run);
  install(at, LINTERS);
  for (const tarball of tarballs) {
    run('npx', ['--no-install', 'publint', 'run', tarball, '--strict'], at);
    run('npx', ['--no-install', 'attw', tarball], at);
  }
  console.log('publint and arethetypeswrong: ok');
}

function emptyPackage(folder, name, run) {
  const at = join(folder, name);
  mkdirSync(at);
  run('npm', ['init', '--yes'], at);
  return at;
}
