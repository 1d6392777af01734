// Asks the embedded server what a real mongod was asked (../shared/conformance/answers) and counts the answers that
// differ and that no rule of test/conformance/answers.rules.mjs explains; fails above the last figure reached
// (test/conformance/ceiling.json).
//   node scripts/answers.mjs [--counts FILE] [--only SUBJECT]
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { parseArgs } from 'node:util';
import { RULES } from '../test/conformance/answers.rules.mjs';

const { values } = parseArgs({ options: { counts: { type: 'string' }, only: { type: 'string', default: '' } } });
const folder = process.env.CONFORMANCE_DIR ?? mkdtempSync(join(tmpdir(), 'conformance-'));
if (!existsSync(join(folder, 'node_modules'))) {
  cpSync(resolve('../shared/conformance'), folder, { recursive: true });
  spawnSync('chmod', ['-R', 'u+w', folder]);
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--silent'], {
    cwd: folder,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
}

// In a thread of its own: this one waits for the replay.
const server = new Worker(
  `import('${new URL('../dist/esm/testing/index.js', import.meta.url)}').then(async ({ EmbeddedMongo }) => {
    const { uri } = await EmbeddedMongo.start();
    require('node:worker_threads').parentPort.postMessage(uri);
  })`,
  { eval: true },
);
const uri = await new Promise((done, fail) => server.once('message', done).once('error', fail));
const out = join(mkdtempSync(join(tmpdir(), 'answers-')), 'kinds.json');
const args = ['replay.mjs', '--uri', uri, '--show', '0', '--json', out, '--only', values.only];
const { stdout } = spawnSync(process.execPath, args, {
  cwd: join(folder, 'answers'),
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
});
await server.terminate();
process.stdout.write(stdout);

const same = Number(/^(\d+) passed, \d+ failed$/m.exec(stdout)?.[1]);
const explained = new Map(RULES.map(({ name }) => [name, 0]));
let unexplained = 0;
for (const [kind, { n }] of JSON.parse(readFileSync(out, 'utf8'))) {
  const rule = RULES.find((each) => each.kind.test(kind));
  if (rule) explained.set(rule.name, explained.get(rule.name) + n);
  else unexplained += n;
}
for (const [name, n] of explained) console.log(`${n} by rule: ${name}`);
const { unexplained: ceiling } = JSON.parse(readFileSync('test/conformance/ceiling.json', 'utf8'));
console.log(`answers: ${same} alike, ${unexplained} differ without a rule; the ceiling is ${ceiling}`);
const over = Math.max(0, unexplained - ceiling);
if (values.counts) writeFileSync(values.counts, `${same} ${over}\n`);
process.exit(over > 0 ? 1 : 0);
