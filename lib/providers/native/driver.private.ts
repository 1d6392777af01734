/**
 * The private places of the MongoDB driver that this package touches; the only file that names them, beside that of one
 * class (document-sequence.private.ts). Read in 6.17, 6.20, 7.0, 7.5 and 7.8; {@link missingInDriver} says which of them
 * another version lacks.
 */
import type { Socket } from 'node:net';
import type { mongo } from 'mongoose';
import { lacking } from './private.places.js';

/** What a cursor's first command was answered. */
export interface FirstAnswer {
  response: { id?: mongo.Long };
}
interface CursorPlaces {
  readonly id?: mongo.Long | null;
  readonly cursorClient: mongo.MongoClient;
  readonly cursorNamespace: mongo.MongoDBNamespace;
  readonly cursorOptions: mongo.BSONSerializeOptions;
  pipeline: unknown;
  _initialize(session: mongo.ClientSession): Promise<FirstAnswer>;
  getMore(...args: unknown[]): Promise<unknown>;
  close(): Promise<void>;
}
const placesOf = (cursor: object): CursorPlaces => cursor as CursorPlaces;

/** Has the first command of a cursor sent by `send`. */
export function sendFirstBy(cursor: object, send: (first: () => Promise<FirstAnswer>) => Promise<FirstAnswer>): void {
  const places = placesOf(cursor);
  const { _initialize: initialize } = places;
  places._initialize = (session) => send(() => initialize.call(cursor, session));
}

/** Has the commands after the first sent by `send`. */
export function sendNextBy(cursor: object, send: <T>(next: () => Promise<T>) => Promise<T>): void {
  const places = placesOf(cursor);
  const { getMore } = places;
  places.getMore = (...args) => send(() => getMore.apply(cursor, args));
}

/** Which of a cursor's commands: the first, or one of those that go on. */
export type CursorStep = 'call' | 'next';

/** Has each command of a cursor sent by `send`. */
export function sendCommandsBy(
  cursor: object,
  send: <T>(command: () => Promise<T>, step: CursorStep) => Promise<T>,
): void {
  sendFirstBy(cursor, (first) => send(first, 'call'));
  sendNextBy(cursor, (next) => send(next, 'next'));
}

/** Puts what `replace` gives into the place of an aggregation's pipeline. */
export function replacePipeline(
  cursor: object,
  replace: <T>(pipeline: T, options: mongo.BSONSerializeOptions) => T,
): void {
  const places = placesOf(cursor);
  places.pipeline = replace(places.pipeline, places.cursorOptions);
}

/** The client of a cursor, its namespace, and its id on the server once that has answered. */
export const cursorOnServer = (
  cursor: object,
): { client: mongo.MongoClient; namespace: mongo.MongoDBNamespace; id: mongo.Long | null | undefined } => {
  const { cursorClient: client, cursorNamespace: namespace, id } = placesOf(cursor);
  return { client, namespace, id };
};

/** Has a cursor say that it is open, whatever becomes of its client: the driver's loops ask, and end without a word. */
export function keepOpen(cursor: object): void {
  const no = { get: () => false, configurable: true };
  Object.defineProperties(cursor, { closed: no, isDead: no, isKilled: { ...no, set: () => {} } });
}

interface StreamPlaces {
  readonly cursor: object & Pick<CursorPlaces, 'close'>;
  _createChangeStreamCursor(options: unknown): object & Pick<CursorPlaces, 'close'>;
}
export type StreamCursor = StreamPlaces['cursor'];

/** The cursor that a change stream has now; it makes another when it resumes. */
export const cursorOf = (stream: mongo.ChangeStream): StreamCursor => (stream as unknown as StreamPlaces).cursor;

/** Has `look` see the cursor of a change stream, and each one that it resumes with. */
export function onEachCursor(stream: mongo.ChangeStream, look: (cursor: StreamCursor) => void): void {
  const places = stream as unknown as StreamPlaces;
  const { _createChangeStreamCursor: create } = places;
  look(places.cursor);
  places._createChangeStreamCursor = (options) => {
    const cursor = create.call(stream, options);
    look(cursor);
    return cursor;
  };
}

type Bulk = mongo.OrderedBulkOperation | mongo.UnorderedBulkOperation;

/**
 * The driver reads the limits of a batch from its client's topology, or takes its defaults (16 MB, 1,000 operations)
 * where no server has said any. A client that has not connected has no topology at all, and the builder would throw.
 */
export function buildBulk<B extends Bulk>(collection: mongo.Collection, build: () => B): B {
  const client = clientOf(collection);
  if (!client || topologyOf(client)) return build();
  Object.assign(collection, { topology: { lastHello: () => null, s: { options: client.options } } });
  try {
    return build();
  } finally {
    delete (collection as { topology?: object }).topology;
  }
}

/** Has a builder execute on this collection. */
export function executeOn(bulk: Bulk, collection: mongo.Collection): void {
  const places = bulk as unknown as { collection: mongo.Collection; s: { collection: mongo.Collection } };
  places.collection = places.s.collection = collection;
}

/** The client of a collection or of a session; undefined where another driver has it elsewhere. */
export const clientOf = (of: mongo.Collection | mongo.ClientSession): mongo.MongoClient | undefined =>
  (of as unknown as { client?: mongo.MongoClient }).client;

/** The session's transaction has sent nothing yet. */
export const isStarting = (session: mongo.ClientSession): boolean =>
  (session as unknown as { transaction: { isStarting: boolean } }).transaction.isStarting;

interface Topology {
  readonly s?: { readonly servers?: ReadonlyMap<string, object> };
  close(): void;
}
/** What a client has connected by; undefined while it is not. */
export const topologyOf = (client: mongo.MongoClient): Topology | undefined =>
  (client as unknown as { topology?: Topology }).topology;

/** What stands for each of its servers, and leads to their sockets. */
export const serversOf = (topology: Topology): Iterable<object> => topology.s?.servers?.values() ?? [];

type ConnectionClass = new (socket: Socket, options: object) => object;
interface ServerPlaces {
  readonly pool?: { options?: { readonly connectionType?: ConnectionClass } };
  /** None behind a load balancer. */
  readonly monitor?: { connectOptions?: { readonly connectionType?: ConnectionClass } } | null;
}

/**
 * Has `look` see each socket that a server's pool and monitor connect by from now on. A client that encrypts fields has a
 * class of its own for those of its pool, which are not seen.
 */
export function onEachSocket(server: object, look: (socket: Socket) => void): void {
  const { pool, monitor } = server as ServerPlaces;
  const Connection = pool?.options?.connectionType;
  if (!pool || !Connection) return;
  const connectionType = class extends Connection {
    constructor(socket: Socket, options: object) {
      super(socket, options);
      look(socket);
    }
  };
  pool.options = Object.freeze({ ...pool.options, connectionType });
  if (monitor) monitor.connectOptions = Object.freeze({ ...monitor.connectOptions, connectionType });
}

interface ClientOptions {
  credentials?: object;
  waitQueueTimeoutMS?: number;
}
/** The options that pools, monitors and sockets have copies of; their own symbols are copied, too. */
export const optionsOf = (client: mongo.MongoClient): ClientOptions | undefined =>
  (client as unknown as { s?: { options?: ClientOptions } }).s?.options;

/**
 * Sends a command for which there is a free socket without the client's `waitQueueTimeoutMS`: the driver reads it as it begins
 * an operation, and makes a timer and six promises of it for each.
 */
export function sendWithoutWait<T>(client: mongo.MongoClient, command: () => Promise<T>): Promise<T> {
  const options = optionsOf(client);
  const waitQueueTimeoutMS = options?.waitQueueTimeoutMS;
  if (!options || !waitQueueTimeoutMS) return command();
  options.waitQueueTimeoutMS = 0;
  try {
    return command();
  } finally {
    options.waitQueueTimeoutMS = waitQueueTimeoutMS;
  }
}

/** Which of the places above a driver lacks, such as `FindCursor._initialize`. It connects to nothing. */
export function missingInDriver({ MongoClient }: Pick<typeof mongo, 'MongoClient'>): string[] {
  const client = new MongoClient('mongodb://localhost');
  const collection = client.db('probe').collection('probe');
  const session = client.startSession();
  const aggregation = collection.aggregate([]);
  const stream = collection.watch();
  const bulk = buildBulk(collection as mongo.Collection, () => collection.initializeOrderedBulkOp());
  const { s: state } = client as unknown as { s?: object };
  const { transaction } = session as { transaction?: object };
  const sent = ['_initialize', 'getMore', 'cursorClient', 'cursorNamespace', 'cursorOptions'];
  void session.endSession();
  void stream.close();
  return [
    ...lacking('MongoClient', client, ['options']),
    ...lacking('MongoClient.s', state, ['options']),
    ...lacking('Collection', collection, ['client']),
    ...lacking('ClientSession', session, ['client']),
    ...lacking('ClientSession.transaction', transaction, ['isStarting']),
    ...lacking('FindCursor', collection.find(), [...sent, 'isDead', 'isKilled']),
    ...lacking('AggregationCursor', aggregation, [...sent, 'pipeline']),
    ...lacking('OrderedBulkOperation', bulk, ['collection', 's']),
    ...lacking('ChangeStream', stream, ['cursor', '_createChangeStreamCursor']),
    ...lacking('ChangeStreamCursor', cursorOf(stream), sent),
  ];
}

/** As {@link missingInDriver}, what a client has once it has a pool of sockets. */
export function missingWhenConnected(client: mongo.MongoClient): string[] {
  const topology = topologyOf(client);
  return [
    ...lacking('MongoClient', client, ['topology']),
    ...lacking('Topology', topology, ['s', 'close']),
    ...lacking('Topology.s', topology?.s, ['servers']),
    ...[...(topology ? serversOf(topology) : [])].flatMap((server) => {
      const { pool, monitor } = server as ServerPlaces;
      return [
        ...lacking('Server', server, ['pool', 'monitor']),
        ...lacking('ConnectionPool.options', pool?.options, ['connectionType']),
        ...(monitor ? lacking('Monitor', monitor, ['connectOptions']) : []),
      ];
    }),
  ];
}
