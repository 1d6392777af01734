// What takes too long for every landing: the shards of test/shards.json, each a list of parts. A part that has passed at
// this commit is not run again, so a run that was stopped goes on where it was. Results are committed files.
//   npm run ci:full                    all shards
//   npm run ci:full -- matrix pools    these
//   npm run ci:full -- --list          what there is
// POLYMONGO_SEED is what the parts' random choices start from; it is drawn when not given, and recorded.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

const FOLDER = 'test/results';
const FIGURE = /^(Tests: .*|Tests run on .*|together: .*|\d+ passed, \d+ failed)$/;

const shards = JSON.parse(readFileSync('test/shards.json', 'utf8'));
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => name !== '--list' && !shards[name]);
if (unknown.length > 0)
  throw new Error(`No shard ${unknown.join(', ')}. There are: ${Object.keys(shards).join(', ')}.`);
if (asked.includes('--list')) {
  for (const [name, parts] of Object.entries(shards))
    console.log(`${name}: ${parts.map(({ part }) => part).join('; ')}`);
  process.exit(0);
}

const git = (...args) => spawnSync('git', args, { encoding: 'utf8' }).stdout.trim();
if (git('status', '--porcelain', '--', '.', `:!${FOLDER}`)) {
  throw new Error('Commit first: a result belongs to a commit.');
}
/** What is tested: a commit that only adds results changes nothing. */
const commit = git('log', '-1', '--format=%H', '--', '.', `:!${FOLDER}`);
const machine = `${cpus().length} × ${cpus()[0].model}, ${Math.round(totalmem() / 1024 ** 3)} GB, Node ${process.version}`;
const server = process.env.MONGODB_URI ? 'the one at MONGODB_URI' : 'as test/support/choose-server.mjs chooses';

let failed = 0;
for (const name of asked.length > 0 ? asked : Object.keys(shards)) {
  const file = join(FOLDER, `${name}.json`);
  const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const result = known.commit === commit ? known : { commit, machine, server, parts: {} };
  for (const { part, command, env } of shards[name]) {
    if (result.parts[part]?.passed) {
      console.log(`${name}: ${part} passed at this commit`);
      continue;
    }
    console.log(`--- ${name}: ${part}`);
    const seed = process.env.POLYMONGO_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
    result.parts[part] = await run(command, { ...env, POLYMONGO_SEED: seed });
    if (!result.parts[part].passed) failed++;
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(file, JSON.stringify(result, null, 2) + '\n');
  }
}
console.log(failed > 0 ? `${failed} parts failed` : 'all parts passed');
process.exit(failed > 0 ? 1 : 0);

async function run([program, ...args], env) {
  const began = Date.now();
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      process.stdout.write(chunk);
      output += chunk;
    });
  }
  const status = await new Promise((done) => child.once('close', done));
  const figures = output.split('\n').filter((line) => FIGURE.test(line));
  return {
    passed: status === 0,
    seconds: Math.round((Date.now() - began) / 1000),
    at: new Date().toISOString(),
    seed: env.POLYMONGO_SEED,
    figures,
  };
}
