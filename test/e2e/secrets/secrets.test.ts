import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { PolyMongoWrapper, type PolyMongoOptions } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { runCli } from '../../../lib/cli/cli.program.js';
import { makeCanaries, PIECE } from '../../support/canaries.js';
import { wrapItems } from '../../support/items.js';
import { mulberry32 } from '../../support/random.js';
import { printedSeed } from '../../support/seed.js';
import { waitFor } from '../../support/wait-for.js';

const SEEDS = Number(process.env.POLYMONGO_SEEDS ?? 25);
const FIRST_SEED = printedSeed('secrets');

let server: EmbeddedMongo;
let logPath: string;
let written: string[];
beforeAll(async () => {
  Logger.overrideLogger(false); // as the command line does

  server = await EmbeddedMongo.start({ users: [{ username: 'somebody', password: 'else' }] });
});
afterAll(() => server.stop());
beforeEach(() => {
  logPath = mkdtempSync(join(tmpdir(), 'polymongo-secrets-'));
  written = [];
  jest.spyOn(console, 'log').mockImplementation((...args) => void written.push(args.join(' ')));
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(logPath, { recursive: true });
});

/** Options with secrets everywhere, of a server that refuses them or is not there. */
function makeOptions(seed: number): PolyMongoOptions {
  const random = mulberry32(seed);
  const { pick, secret } = makeCanaries(random);
  const written = (text: string) => (random() < 0.5 ? text : encodeURIComponent(text));
  const options = [
    'serverSelectionTimeoutMS=20',
    pick([
      '',
      `authMechanismProperties=SERVICE_NAME:${written(secret())}`,
      `proxyPassword=${written(secret())}`,
      `sslPass=${written(secret())}`,
    ]),
    pick(['', `tlsCertificateKeyFilePassword=${written(secret())}`, `proxyUsername=${written(secret())}&proxyHost=h`]),
  ];
  const credentials = pick([`${written(secret())}:${written(secret())}@`, `${written(secret())}@`, '']);
  const driverOptions = pick([
    {},
    { auth: { username: secret(), password: secret() } },
    { tlsCertificateKeyFilePassword: secret(), passphrase: secret() },
    { authMechanismProperties: { SERVICE_NAME: secret(), AWS_SESSION_TOKEN: secret() } },
    { proxyHost: 'proxy', proxyUsername: secret(), proxyPassword: secret() },
    { key: secret(), pfx: secret(), cert: secret() },
    { sslPass: secret(), sslKey: secret() },
  ]);
  const host = pick([`127.0.0.1:${server.port}`, '127.0.0.1:1']);
  return {
    mongoURI: `mongodb://${credentials}${host}/shop?${options.filter(Boolean).join('&')}`,
    driverOptions: { serverSelectionTimeoutMS: 20, ...driverOptions } as never,
    dbSpecific: [{ dbName: 'own', options: { driverOptions: driverOptions as never } }],
    clusters: {
      elsewhere: {
        mongoURI: `mongodb://${credentials}127.0.0.1:1/?serverSelectionTimeoutMS=20`,
        options: { driverOptions: { serverSelectionTimeoutMS: 20, ...driverOptions } as never },
      },
    },
    debug: true,
    logPath: join(logPath, String(seed)),
  };
}

/** Everything that somebody could print of a value. */
function printed(value: unknown): string[] {
  const json = () => {
    try {
      return JSON.stringify(value) ?? '';
    } catch (error) {
      return String(error); // a circle
    }
  };
  const texts = [inspect(value), inspect(value, { depth: null, getters: true }), json(), String(value)];
  if (value instanceof Error) texts.push(value.message, value.stack ?? '', ...printed(Object.entries(value)));
  return texts;
}

async function cli(args: string[]): Promise<string> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const { signal } = new AbortController();
  await runCli(args, { stdin: Readable.from([]), stdout, stderr, signal, version: '1', env: {} } as never);
  return `${stdout.read() as string} ${stderr.read() as string}`;
}

async function showEverything(options: PolyMongoOptions): Promise<Record<string, string[]>> {
  const made = (more: object): PolyMongoWrapper | Error => {
    try {
      return new PolyMongoWrapper({ ...options, handleSignals: false, ...more });
    } catch (error) {
      return error as Error;
    }
  };
  const refused = made({ retry: options.mongoURI, defaultDB: 'a', driverOptions: 'x' });
  const polymongo = made({});
  if (polymongo instanceof Error) return { refused: [refused, polymongo].flatMap(printed) }; // no URI that can be read
  const items = wrapItems(polymongo);
  const told: unknown[] = [];
  polymongo.onDbError((error) => told.push(error));
  const errors = await Promise.all(
    ['shop', 'own'].map((name) => polymongo.pools.connect(name).catch((error: unknown) => error)),
  );
  const { mongoURI, options: pool } = polymongo.options.clusters['elsewhere']!;
  errors.push(await polymongo.pools.connectDB('moved', { ...pool, mongoURI }).catch((error: unknown) => error));
  polymongo.pools.connectInBackground('own');
  errors.push(await items.findOne().catch((error: unknown) => error));
  const { pools } = polymongo;
  const seen: Record<string, string[]> = { refused: printed(refused), errors: errors.flatMap(printed) };
  const values = {
    polymongo,
    options: polymongo.options,
    pools,
    primary: pools.primary,
    own: pools.separate.get('own'),
  };
  for (const [name, value] of Object.entries({
    ...values,
    config: pools.primary.config,
    driverOptions: polymongo.options.driverOptions,
    clusters: polymongo.options.clusters,
    cluster: polymongo.options.clusters['elsewhere'],
    auth: polymongo.options.driverOptions.auth,
    database: pools.database('shop'),
    connection: items.db('shop').db,
    collection: items.collection,
    query: items.find(),
    stats: polymongo.stats.general(),
  })) {
    seen[name] = printed(value);
  }
  await polymongo.actions.forceCloseAll();
  seen['told'] = told.flatMap(printed);
  const log = () => readFileSync(join(options.logPath!, 'polymongo.log'), 'utf8');
  const isTold = () => /connect in the background|"pool connected","pool":"own"/.test(log()); // some need no secret
  await waitFor(isTold);
  seen['log'] = [log(), ...written.splice(0)];
  seen['cli'] = await Promise.all([
    cli(['list', '--uri', options.mongoURI]),
    cli(['stats', 'shop', '--json', '--uri', options.mongoURI]),
    cli([options.mongoURI, 'list']),
    cli(['stats', options.mongoURI, '--uri', options.mongoURI]),
  ]);
  return seen;
}

describe('secrets', () => {
  it(
    `appear nowhere, not in part, whatever characters they have and wherever they are given (seeds ${FIRST_SEED} to ${FIRST_SEED + SEEDS - 1}, POLYMONGO_SEED)`,
    async () => {
      const leaks: unknown[] = [];
      for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
        const options = makeOptions(seed);
        const seen = await showEverything(options);
        for (const [where, texts] of Object.entries(seen)) {
          const leak = texts.find((text) => PIECE.test(text));
          if (leak === undefined) continue;
          const at = leak.search(PIECE);
          leaks.push({ seed, where, leak: leak.slice(Math.max(0, at - 100), at + 40), uri: options.mongoURI });
        }
      }
      expect(leaks).toEqual([]);
    },
    60_000 + SEEDS * 2_000,
  );

  it('appear in nothing that an open cursor, stream, session or builder leads to', async () => {
    const canaries = makeCanaries(mulberry32(FIRST_SEED));
    const [username, password] = [canaries.username(), canaries.password()];
    const guarded = await EmbeddedMongo.start({ users: [{ username, password, roles: ['root'] }] });
    const auth = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
    const polymongo = new PolyMongoWrapper({ mongoURI: guarded.uri.replace('//', `//${auth}@`), handleSignals: false });
    try {
      const items = wrapItems(polymongo);
      const { db: connection } = items.db('shop');
      await items.db('shop').insertMany([{}, {}, {}]);
      const { client } = polymongo.pools.primary;
      const cursor = items.db('shop').find().cursor({ batchSize: 1 });
      await cursor.next();
      const native = client.db('shop').collection('items').find({}, { batchSize: 1 });
      await native.next();
      const stream = items.db('shop').watch();
      stream.on('error', () => {});
      await new Promise((resolve) => stream.once('ready', resolve));
      const values: Record<string, unknown> = {
        ...{ cursor, native, stream, polymongo, connection, client },
        session: await connection.startSession(),
        builder: connection.collection('items').initializeOrderedBulkOp(),
        nativeBuilder: client.db('shop').collection('items').initializeUnorderedBulkOp(),
        'a cursor not begun': client.db('shop').collection('items').aggregate(),
        database: client.db('shop'),
        admin: client.db('shop').admin(),
        collection: connection.collection('items'),
        'the handle of the database': polymongo.pools.database('shop'),
        'what the driver has of its options': { ...client.options, hosts: undefined },
        credentials: client.options.credentials,
      };
      const leaking = Object.keys(values).filter((name) => printed(values[name]).some((text) => PIECE.test(text)));
      expect(leaking).toEqual([]);
      await Promise.all([cursor.close(), native.close(), stream.close()]);
    } finally {
      await polymongo.actions.forceCloseAll();
      await guarded.stop();
    }
  }, 60_000);

  it('appear in no error of a socket, be it the first one or one that is opened later', async () => {
    const { secret } = makeCanaries(mulberry32(FIRST_SEED));
    const [proxyUsername, proxyPassword] = [secret(), secret()];
    let isFailing = false;
    /** What the SOCKS client of the driver does when its proxy refuses. */
    const lookup = (_: string, options: { all?: boolean }, found: (...answer: unknown[]) => void) => {
      const proxy = { host: 'proxy', userId: proxyUsername, password: proxyPassword };
      if (isFailing) return found(Object.assign(new Error('refused'), { options: { proxy, hops: [proxy] } }));
      return options.all ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4);
    };
    const uri = `mongodb://localhost:${server.port}/?directConnection=true&serverSelectionTimeoutMS=300`;
    const polymongo = new PolyMongoWrapper({
      mongoURI: uri,
      driverOptions: { lookup: lookup as never },
      handleSignals: false,
    });
    const { client } = polymongo.pools.primary;
    const refused = () => client.db('shop').command({ ping: 1 }).catch((error: unknown) => error); // prettier-ignore
    try {
      await polymongo.pools.connect('shop').catch(() => {});
      isFailing = true;
      server.dropConnections();
      const errors = [await refused(), await refused()];
      await polymongo.pools.disconnect('shop', 'for the test');
      await polymongo.pools.primary.close('for the test', 'now');
      errors.push(await polymongo.pools.connect('shop').catch((error: unknown) => error));
      expect(errors.map((error) => error instanceof Error)).toEqual([true, true, true]);
      expect(errors.flatMap(printed).filter((text) => PIECE.test(text))).toEqual([]);
      expect(inspect(errors, { depth: null })).toContain("host: 'proxy'");
    } finally {
      await polymongo.actions.forceCloseAll();
    }
  }, 60_000);
});
