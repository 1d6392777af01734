import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { Interruption } from '../../../lib/cli/cli.io.js';
import { makeCanaries, PIECE } from '../../support/canaries.js';
import { mulberry32 } from '../../support/random.js';
import { printedSeed } from '../../support/seed.js';
import { type Run, runIn } from '../cli/cli.run.js';

const SEED = printedSeed('secrets of the command line');
const ROUNDS = Number(process.env.POLYMONGO_SEEDS ?? 4);

let folder: string;
let shown: string[];
const inFolder = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'polymongo-cli-secrets-'));
  writeFileSync(
    inFolder('0001-a.mjs'),
    'export const up = ({ log }) => log("on the way");\nexport const down = () => {};\n',
  );
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  shown = [];
  jest.spyOn(console, 'log').mockImplementation((...args) => void shown.push(args.join(' ')));
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => shown.push(String(text)) > 0); // winston's
});
afterEach(() => void jest.restoreAllMocks());

/** A command line, and how it is given the connection string. */
interface Line {
  readonly args: string[];
  readonly run?: Run;
}

/** Every command. Those that run until Ctrl-C end with what they write first, or at once. */
function lines(uri: string, debugConfig: string, name: string): Line[] {
  const file = Buffer.from('{"collections":{"c":{"documents":[{"_id":1},{"_id":}]}}}');
  const abort = new AbortController();
  abort.abort(new Interruption('SIGINT'));
  const migrate = ['--config', debugConfig, '--dir', folder, '--tenant', 'acme'];
  return [
    { args: ['import', name, '--on-error', 'skip', '--rejects', inFolder('rejects'), '--force'], run: { stdin: file } },
    { args: ['list'] },
    { args: ['stats'] },
    { args: ['stats', name] },
    { args: ['export', name] },
    { args: ['export', name, '--out', inFolder('out.json'), '--force'], run: { isTTY: true } },
    { args: ['import', `${name}2`, inFolder('out.json'), '--dry-run'] },
    { args: ['copy', name, `${name}3`] },
    { args: ['copy', name, `${name}4`, '--target-uri', uri] },
    { args: ['copy', name, `${name}5`], run: { env: { MONGODB_URI: uri, POLYMONGO_TARGET_URI: uri } } },
    { args: ['watch', name], run: { signal: abort.signal } },
    { args: ['migrate', 'up', ...migrate] },
    { args: ['migrate', 'status', ...migrate] },
    { args: ['migrate', 'redo', '1', ...migrate] },
    { args: ['migrate', 'down', '--to', '0', ...migrate] },
    { args: ['migrate', 'mark', '1', '--as', 'done', ...migrate] },
    { args: ['migrate', 'create', 'a', '--dir', inFolder('more')] },
    { args: ['embedded'], run: { signal: abort.signal } },
    { args: ['drop', name] },
    { args: ['drop', name], run: { isTTY: true, stdin: Buffer.from(`${name}\n`) } },
    { args: ['drop', `${name}3`, '--yes'] },
  ];
}

/** The same where somebody took one thing for another. */
const mistaken = (uri: string): Line[] => [
  { args: [uri, 'list'] },
  ...['stats', 'export', 'import', 'drop', 'watch', 'embedded'].map((command) => ({ args: [command, uri] })),
  { args: ['copy', uri, uri] },
  { args: ['export', 'shop', '--format', uri] },
  { args: ['export', 'shop', '--query', uri] },
  { args: ['export', 'shop', '--rename', uri] },
  { args: ['export', 'shop', '--include', uri] },
  { args: ['import', 'shop', '--source-db', uri] },
  { args: ['list', `--${uri}`] },
  { args: ['migrate', 'up', '--tenant', uri] },
  { args: ['migrate', 'up', '--all', '--config', uri] },
  { args: ['migrate', 'create', uri] },
  { args: ['embedded', '--port', uri] },
  { args: ['embedded', '--repl-set', uri], run: { signal: AbortSignal.abort() } },
];

/** Runs them all, each with the connection string as an option or in the environment. @returns what was shown of a secret, and how each ended */
async function runAll(all: readonly Line[], uri: string, random: () => number) {
  const [leaks, codes]: [unknown[], string[]] = [[], []];
  for (const { args, run } of all) {
    const given = random() < 0.5 ? ['--uri', uri] : [];
    const more = [...given, ...(random() < 0.5 ? ['--json'] : [])];
    const env = run?.env ?? { [random() < 0.5 ? 'MONGODB_URI' : 'POLYMONGO_URI']: uri };
    const { code, out, err } = await runIn('', [...args, ...more], { ...run, env });
    codes.push(`${args[0]} ${code}`);
    const leak = [out, err, ...shown.splice(0)].find((text) => PIECE.test(text));
    if (leak !== undefined) leaks.push({ args: args.slice(0, 2), more, code, leak, uri });
  }
  return { leaks, codes };
}

/** A config module of `migrate` that writes the log, with secrets of its own. */
function writeConfig(round: string, driverOptions: object): string {
  const file = inFolder(`${round}.config.mjs`);
  const options = { debug: true, logPath: inFolder(round), driverOptions };
  writeFileSync(file, `export default ${JSON.stringify(options)};`);
  return file;
}
const logOf = (round: string) => {
  try {
    return readFileSync(join(inFolder(round), 'polymongo.log'), 'utf8');
  } catch {
    return ''; // nothing to tell
  }
};

describe('no command shows a secret', () => {
  it(`when it does what it is told (seeds ${SEED} to ${SEED + ROUNDS - 1})`, async () => {
    for (let seed = SEED; seed < SEED + ROUNDS; seed++) {
      const random = mulberry32(seed);
      const canaries = makeCanaries(random);
      const [username, password] = [canaries.username(), canaries.password()];
      const server = await EmbeddedMongo.start({ users: [{ username, password, roles: ['root'] }] });
      try {
        const uri = server.uri.replace('//', `//${encodeURIComponent(username)}:${encodeURIComponent(password)}@`);
        const config = writeConfig(`done-${seed}`, {});
        const { leaks, codes } = await runAll(lines(uri, config, 'shop'), uri, random);
        expect(leaks).toEqual([]);
        expect(codes.filter((each) => !each.endsWith(' 0'))).toEqual(['import 3', 'drop 2']); // on purpose
        expect(logOf(`done-${seed}`)).not.toMatch(PIECE);
      } finally {
        await server.stop();
      }
    }
  }, 120_000);

  it(`when it fails, whatever fails and wherever the secret is (seeds ${SEED} to ${SEED + ROUNDS - 1})`, async () => {
    const server = await EmbeddedMongo.start({ users: [{ username: 'somebody', password: 'else' }] });
    try {
      for (let seed = SEED; seed < SEED + ROUNDS; seed++) {
        const random = mulberry32(seed);
        const { pick, secret } = makeCanaries(random);
        const written = (text: string) => (random() < 0.5 ? text : encodeURIComponent(text));
        const option = pick([
          '',
          `&authMechanism=GSSAPI&authMechanismProperties=SERVICE_NAME:${written(secret())}`,
          `&tls=true&tlsCertificateKeyFilePassword=${written(secret())}`,
          `&proxyHost=127.0.0.1&proxyPort=1&proxyUsername=${written(secret())}&proxyPassword=${written(secret())}`,
          `&sslPass=${written(secret())}`,
        ]);
        const driverOptions = pick([
          {},
          { auth: { username: secret(), password: secret() } },
          { tls: true, passphrase: secret(), key: secret() },
          { proxyHost: '127.0.0.1', proxyPort: 1, proxyUsername: secret(), proxyPassword: secret() },
        ]);
        const host = pick([`127.0.0.1:${server.port}`, '127.0.0.1:1', 'no such host']);
        const uri = `mongodb://${written(secret())}:${written(secret())}@${host}/?serverSelectionTimeoutMS=20${option}`;
        const config = writeConfig(`failed-${seed}`, driverOptions);
        const { leaks } = await runAll([...lines(uri, config, 'shop'), ...mistaken(uri)], uri, random);
        expect(leaks).toEqual([]);
        expect(logOf(`failed-${seed}`)).not.toMatch(PIECE);
      }
    } finally {
      await server.stop();
    }
  }, 120_000);
});
