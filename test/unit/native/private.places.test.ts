import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, it, jest } from '@jest/globals';
import mongoose, { type Mongoose } from 'mongoose';
import { filesUnder } from '../../../packages/embedded-mongo/test/support/architecture.map.js';
import { PolyMongoWrapper } from '../../../lib/index.js';
import { missingInDriver, onEachSocket, sendWithoutWait } from '../../../lib/providers/native/driver.private.js';
import { missingInMongoose } from '../../../lib/providers/native/mongoose.private.js';
import { checkConnected, checkPrivatePlaces } from '../../../lib/providers/native/private.check.js';

const root = join(import.meta.dirname, '../../..');

/** Words that begin as private ones do, and are none of mongoose's or the driver's. */
const OTHERS: Record<string, string> = {
  _id: "a document's",
  _id_: 'the name of its index',
  _id_1: 'the same',
  _bsontype: 'of all BSON values, as documented',
  _data: 'what a server puts into a resume token',
  _read: "of Node's streams",
  _connectionInit: "mercurius's",
  _OTHER: 'what OpenTelemetry calls an error without a name',
  _reply: 'parameters that are not used',
  _response: 'the same',
};
const UNDERSCORED = /(?<![\w$#])(?:\$__\w+|\$init\b|\$caught\b|_[a-z]\w+)/gi;
const PLACES = [
  ...['topology', 'isStarting', 'cursorClient', 'cursorNamespace', 'cursorOptions', 'getMore', 'isDead', 'isKilled'],
  ...['addQueue', 'doQueue', 'doClose', 'createClient', 'transactionAsyncLocalStorage', 'applyStaticHooks'],
  ...['connectionType', 'connectOptions'],
];
const LOOKS = new RegExp(
  String.raw`\.(?:${PLACES.join('|')})\b|\.s\b|\{ s\b|connection\.constructor|mongoose#|(?:mongoose|mongodb)/lib/`,
  'g',
);

/** The code of a file, without its comments. */
const codeOf = (path: string): string =>
  readFileSync(join(root, path), 'utf8').replace(/\/\*[\s\S]*?\*\/|(?<![:'"])\/\/.*$/gm, '');

const privateIn = (code: string): string[] => [
  ...[...code.matchAll(UNDERSCORED)].map(([word]) => word).filter((word) => !Object.hasOwn(OTHERS, word)),
  ...[...code.matchAll(LOOKS)].map(([word]) => word),
];

it('the private places of mongoose and the driver are named in one file each', () => {
  const files = filesUnder(root, 'lib').filter((path) => !path.endsWith('.private.ts'));
  expect(files.length).toBeGreaterThan(250);
  expect(files.map((path) => [path, privateIn(codeOf(path))]).filter(([, found]) => found!.length > 0)).toEqual([]);
  for (const name of ['mongoose', 'driver'])
    expect(privateIn(codeOf(`lib/providers/native/${name}.private.ts`)).length).toBeGreaterThan(5);
});

const warnings = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
afterEach(() => void warnings.mockClear());

/** mongoose in another version, whose connections and sessions are said to lack something. */
function otherVersion(version: string, { connection, session }: { connection?: string; session?: string }): Mongoose {
  const without = <T extends object>(object: T, member: string | undefined): T =>
    new Proxy(object, { has: (target, key) => key !== member && Reflect.has(target, key) });
  const Native = mongoose.connection.constructor as unknown as new (base: Mongoose) => object;
  class Connection extends Native {
    constructor(base: Mongoose) {
      super(base);
      return without(this, connection);
    }
  }
  class MongoClient extends mongoose.mongo.MongoClient {
    override startSession() {
      return without(super.startSession(), session);
    }
  }
  return Object.create(mongoose, {
    version: { value: version },
    connection: { value: { constructor: Connection } },
    mongo: { value: { MongoClient } },
  }) as Mongoose;
}

it('the mongoose and the driver that are installed have all of them', () => {
  expect([...missingInMongoose(mongoose), ...missingInDriver(mongoose.mongo)]).toEqual([]);
});

it('a version that lacks some is told by one warning, which names them', () => {
  const base = otherVersion('10.0.0', { connection: '_waitForConnect', session: 'client' });
  checkPrivatePlaces(base);
  checkPrivatePlaces(base);
  expect(warnings).toHaveBeenCalledTimes(1);
  expect(warnings).toHaveBeenCalledWith(
    expect.stringMatching(/^mongoose 10\.0\.0 .*: Connection\._waitForConnect, ClientSession\.client are not where/),
    { type: 'PolyMongoWarning', code: 'POLYMONGO_PRIVATE' },
  );
});

it('a new version that has all of them is told of by none', () => {
  checkPrivatePlaces(otherVersion('10.1.0', {}));
  expect(warnings).not.toHaveBeenCalled();
});

it('one on which not even the look succeeds is told by what the look failed with', () => {
  const base = otherVersion('10.2.0', {});
  checkPrivatePlaces(Object.create(base, { mongo: { value: {} } }) as Mongoose);
  expect(warnings).toHaveBeenCalledWith(expect.stringContaining('MongoClient is not a constructor'), expect.anything());
});

it('a client that has connected is looked at too', () => {
  const client = { topology: { s: {} } } as unknown as mongoose.mongo.MongoClient;
  checkConnected(client, '10.3.0');
  expect(warnings).toHaveBeenCalledWith(
    expect.stringContaining('Topology.close, Topology.s.servers'),
    expect.anything(),
  );
});

it('so are its servers, with their pools and monitors', () => {
  const servers = new Map([['one:27017', { pool: { options: {} }, monitor: {} }]]);
  const client = { topology: { s: { servers }, close() {} } } as unknown as mongoose.mongo.MongoClient;
  checkConnected(client, '10.5.0');
  expect(warnings).toHaveBeenCalledWith(
    expect.stringContaining('inside: ConnectionPool.options.connectionType, Monitor.connectOptions are not'),
    expect.anything(),
  );
});

it('the sockets of a pool and of a monitor are seen, and what these connect by is else as it was', () => {
  const seen: unknown[] = [];
  class Connection {
    constructor(
      readonly socket: Socket,
      readonly options: object,
    ) {}
  }
  const options = { connectionType: Connection, appName: 'seen' };
  const behindLoadBalancer = { pool: { options }, monitor: null };
  const server = { pool: { options }, monitor: { connectOptions: { appName: 'seen' } as typeof options } };
  for (const each of [server, behindLoadBalancer, {}]) onEachSocket(each, (socket) => void seen.push(socket));
  const used = [server.pool.options, server.monitor.connectOptions, behindLoadBalancer.pool.options];
  const sockets = used.map(() => new Socket());
  const made = used.map((each, i) => new each.connectionType(sockets[i]!, each));
  expect(seen).toEqual(sockets);
  expect(made.map((each) => [each instanceof Connection, each.socket, each.options])).toEqual(
    used.map((each, i) => [true, sockets[i], each]),
  );
  expect(used.map(({ appName }) => appName)).toEqual(['seen', 'seen', 'seen']);
});

it('they are looked for when a PolyMongo is made', () => {
  const { version } = mongoose;
  const model = mongoose.Model as unknown as Record<string, unknown>;
  const { __subclass: subclass } = model;
  Object.assign(mongoose, { version: '10.4.0' });
  delete model['__subclass'];
  try {
    new PolyMongoWrapper({ mongoURI: 'mongodb://localhost', handleSignals: false });
  } finally {
    Object.assign(mongoose, { version });
    model['__subclass'] = subclass;
  }
  expect(warnings).toHaveBeenCalledWith(expect.stringContaining('Model.__subclass'), expect.anything());
});

it('a command is sent without a bound on its wait, which the client has again when it has begun or thrown', async () => {
  const options = { waitQueueTimeoutMS: 10 };
  const client = { s: { options } } as unknown as mongoose.mongo.MongoClient;
  expect(await sendWithoutWait(client, async () => options.waitQueueTimeoutMS)).toBe(0);
  expect(options).toEqual({ waitQueueTimeoutMS: 10 });
  const refuse = () => {
    throw new Error('refused');
  };
  expect(() => sendWithoutWait(client, refuse)).toThrow('refused');
  expect(options).toEqual({ waitQueueTimeoutMS: 10 });
});
