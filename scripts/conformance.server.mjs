// What the checks against ../shared/conformance have in common: a copy of it with its packages, and a server to ask.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';

/** The folder `CONFORMANCE_DIR`, or a temporary one, with the suite and what it needs installed; ends the process if it cannot. */
export function installSuite() {
  const folder = process.env.CONFORMANCE_DIR ?? mkdtempSync(join(tmpdir(), 'conformance-'));
  if (existsSync(join(folder, 'node_modules'))) return folder;
  cpSync(resolve('../shared/conformance'), folder, { recursive: true });
  spawnSync('chmod', ['-R', 'u+w', folder]);
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--silent'], {
    cwd: folder,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
  return folder;
}

/** The built embedded server, in a thread of its own: the caller's waits for the runner. */
export async function startServer() {
  const server = new Worker(
    `import('${new URL('../packages/embedded-mongo/dist/esm/index.js', import.meta.url)}').then(async ({ EmbeddedMongo }) => {
      const { uri } = await EmbeddedMongo.start();
      require('node:worker_threads').parentPort.postMessage(uri);
    })`,
    { eval: true },
  );
  const uri = await new Promise((done, fail) => server.once('message', done).once('error', fail));
  return { uri, stop: () => server.terminate() };
}
