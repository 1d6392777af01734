// What is not used is not loaded: which packages the command line's help, the module, the module with `debug` and its
// other entries bring into a process, and what is published. Reads what was built.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

const CASES = [
  {
    what: 'polymongo --help',
    args: ['dist/esm/cli/main.js', '--help'],
    mayLoad: ['commander'],
  },
  {
    what: "import('nestjs-polymongo')",
    args: ['--input-type=module', '-e', "import 'reflect-metadata'; import 'nestjs-polymongo';"],
    mayNotLoad: ['winston', 'commander', '@nestjs/mongoose', 'stream-json', 'mongodb-memory-server', 'embedded-mongo'],
  },
  {
    what: "import('nestjs-polymongo/testing')",
    args: ['--input-type=module', '-e', "import 'nestjs-polymongo/testing';"],
    mayNotLoad: [
      'embedded-mongo',
      '@nestjs/testing',
      'winston',
      'commander',
      '@nestjs/mongoose',
      'mongodb-memory-server',
    ],
  },
  {
    what: "import('nestjs-polymongo/terminus')",
    args: ['--input-type=module', '-e', "import 'reflect-metadata'; import 'nestjs-polymongo/terminus';"],
    mayNotLoad: ['@nestjs/terminus', '@nestjs/core', 'mongoose'],
  },
  ...['prometheus', 'opentelemetry'].map((entry) => ({
    what: `import('nestjs-polymongo/${entry}')`,
    args: ['--input-type=module', '-e', `import 'reflect-metadata'; import 'nestjs-polymongo/${entry}';`],
    mayNotLoad: ['prom-client', '@opentelemetry/api', 'winston'],
  })),
];

let failed = false;
for (const { what, args, mayLoad, mayNotLoad } of CASES) {
  const packages = packagesOf(args);
  const surplus = packages.filter((name) => (mayLoad ? !mayLoad.includes(name) : mayNotLoad.includes(name)));
  const seconds = [1, 2, 3, 4, 5].map(() => secondsOf(args)).sort((a, b) => a - b)[2];
  console.log(
    `${what}: ${Math.round(seconds * 1000)} ms (node alone ${Math.round(secondsOf(['-e', '0']) * 1000)}), ` +
      (surplus.length > 0
        ? `loads ${surplus.join(', ')} for nothing`
        : `${packages.length} packages, none for nothing`),
  );
  failed ||= surplus.length > 0;
}
const files = readdirSync('dist', { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
const bytes = files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
console.log(`dist: ${files.length} files, ${(bytes / 1e6).toFixed(2)} MB`);
process.exit(failed ? 1 : 0);

/** The packages, of node_modules or beside this one, that a process loads, as V8's coverage lists them. */
function packagesOf(args) {
  const folder = mkdtempSync(join(tmpdir(), 'polymongo-weight-'));
  try {
    execFileSync(process.execPath, args, { env: { ...process.env, NODE_V8_COVERAGE: folder }, stdio: 'ignore' });
    const urls = readdirSync(folder).flatMap((file) =>
      JSON.parse(readFileSync(join(folder, file), 'utf8')).result.map(({ url }) => url),
    );
    const names = urls
      .map((url) => /.*\/(?:node_modules|packages)\/((@[^/]+\/)?[^/]+)\//.exec(url)?.[1])
      .filter(Boolean);
    return [...new Set(names)].sort();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function secondsOf(args) {
  const began = performance.now();
  execFileSync(process.execPath, args, { stdio: 'ignore' });
  return (performance.now() - began) / 1000;
}
