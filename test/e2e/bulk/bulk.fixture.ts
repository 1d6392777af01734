import { PassThrough, type Readable } from 'node:stream';
import mongoose from 'mongoose';
import { PolyMongoWrapper } from '../../../lib/polymongo.wrapper.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

const { BSON } = mongoose.mongo;
let names = 0;

/** A server, a wrapper on it, and databases that are dropped at the end. */
export class BulkFixture {
  readonly #databases: string[] = [];

  private constructor(
    readonly server: TestServer,
    readonly wrapper: PolyMongoWrapper,
  ) {}

  static async start(): Promise<BulkFixture> {
    const server = await startTestServer();
    return new BulkFixture(server, new PolyMongoWrapper({ mongoURI: server.uri, handleSignals: false }));
  }

  get bulk() {
    return this.wrapper.bulkTasks;
  }

  /** A name of a database that nobody else uses. */
  name(): string {
    const name = `bulk_${process.pid}_${++names}`;
    this.#databases.push(name);
    return name;
  }

  async connectionOf(name: string) {
    return this.wrapper.pools.database(name).connection.asPromise();
  }

  async insert(name: string, collection: string, documents: object[]): Promise<void> {
    await (await this.connectionOf(name)).collection(collection).insertMany(documents as never[]);
  }

  /** The BSON of a collection's documents in their natural order, as hexadecimal text. */
  async bytesOf(name: string, collection: string): Promise<string[]> {
    const connection = await this.connectionOf(name);
    const documents = await connection.collection(collection).find({}, { raw: true }).sort({ _id: 1 }).toArray();
    return (documents as unknown as Buffer[]).map((document) => document.toString('hex'));
  }

  /** Collections with their options, and their indexes, as the server tells them; without UUIDs. */
  async structureOf(name: string): Promise<unknown> {
    const { db } = await this.connectionOf(name);
    const infos = await db!.listCollections().toArray();
    const entries = await Promise.all(
      infos
        .filter((info) => !info.name.startsWith('system.'))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(async ({ name: collection, type, ...rest }) => ({
          ...{ collection, type, options: (rest as { options?: object }).options },
          indexes: type === 'view' ? [] : await this.indexesOf(db!.collection(collection)),
        })),
    );
    return JSON.parse(BSON.EJSON.stringify(entries, { relaxed: false }));
  }

  /** Their keys as text too, in which the order counts. */
  private async indexesOf(collection: mongoose.mongo.Collection): Promise<unknown[]> {
    const indexes = await collection.listIndexes().toArray();
    return indexes.map((index) => ({ ...index, order: JSON.stringify(index['key']) }));
  }

  async stop(): Promise<void> {
    for (const name of this.#databases) await this.bulk.dropDatabase(name).catch(() => undefined);
    await this.wrapper.actions.closeAll();
    await this.server.stop();
  }
}

export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export const streamOf = (bytes: Uint8Array): Readable => {
  const stream = new PassThrough();
  stream.end(bytes);
  return stream;
};

/** One document with every BSON type and every awkward name. */
export const everyType = (): object => ({
  _id: new BSON.ObjectId('5f0000000000000000000001'),
  double: new BSON.Double(5),
  doubles: [new BSON.Double(-0), new BSON.Double(NaN), new BSON.Double(Infinity), new BSON.Double(1.1)],
  string: 'ünïcödé 😀 "quoted"\n\u0001',
  document: { a: { b: { c: { 'd.e': 1, $set: 2, '': 3 } } } },
  array: [1, [2, [3, []]], {}],
  binary: new BSON.Binary(Buffer.from('bytes'), 0),
  uuid: new BSON.UUID('c8edabc3-f738-4ca3-b68d-ab92a91478a3'),
  old: new BSON.Binary(Buffer.from('old'), 2),
  yes: true,
  date: new Date(0),
  early: new Date(-62135596800001),
  late: new Date(8.64e15),
  nothing: null,
  pattern: new BSON.BSONRegExp('^a/b', 'im'),
  code: new BSON.Code('() => 1'),
  scoped: new BSON.Code('() => x', { x: 1 }),
  symbol: new BSON.BSONSymbol('symbol'),
  int: new BSON.Int32(-1),
  long: BSON.Long.fromString('9007199254740993'),
  stamp: new BSON.Timestamp({ t: 5, i: 6 }),
  decimal: BSON.Decimal128.fromString('1234567890.123456789012345678901234'),
  least: new BSON.MinKey(),
  most: new BSON.MaxKey(),
  oidLike: { $oid: '5f0000000000000000000002' },
  dateLike: { $date: 'tomorrow' },
  ref: { $ref: 'c', $id: new BSON.ObjectId('5f0000000000000000000003') },
  constructor: 'c',
  ['__proto__']: { polluted: true },
});
