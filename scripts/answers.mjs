// Asks the embedded server what a real mongod was asked (../shared/conformance/answers) and counts the answers that
// differ and that no rule of test/conformance/answers.rules.mjs explains; fails above the last figure reached
// (packages/embedded-mongo/test/conformance/ceiling.json).
//   node scripts/answers.mjs [--counts FILE] [--only SUBJECT]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { RULES } from '../packages/embedded-mongo/test/conformance/answers.rules.mjs';
import { installSuite, startServer } from './conformance.server.mjs';

const { values } = parseArgs({ options: { counts: { type: 'string' }, only: { type: 'string', default: '' } } });
const folder = installSuite();
const server = await startServer();
const out = join(mkdtempSync(join(tmpdir(), 'answers-')), 'kinds.json');
const args = ['replay.mjs', '--uri', server.uri, '--show', '0', '--json', out, '--only', values.only];
const { stdout } = spawnSync(process.execPath, args, {
  cwd: join(folder, 'answers'),
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
});
await server.stop();
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
const { unexplained: ceiling } = JSON.parse(
  readFileSync('packages/embedded-mongo/test/conformance/ceiling.json', 'utf8'),
);
console.log(`answers: ${same} alike, ${unexplained} differ without a rule; the ceiling is ${ceiling}`);
const over = Math.max(0, unexplained - ceiling);
if (values.counts) writeFileSync(values.counts, `${same} ${over}\n`);
process.exit(over > 0 ? 1 : 0);
