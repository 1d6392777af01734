import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { EmbeddedMongo } from 'embedded-mongo';

const RUNS = Number(process.env['POLYMONGO_WATCH_RUNS'] ?? 25);
/** mongoose makes no collection, or makes it (and an index) on a connection of its own. */
const HOW = [
  ['a write', new mongoose.Schema({ n: Number }, { autoCreate: false, autoIndex: false })],
  ['createCollection', new mongoose.Schema({ n: Number }, { autoIndex: false })],
  ['createIndexes', new mongoose.Schema({ n: { type: Number, index: true } }, { autoCreate: false })],
] as const;
let server: EmbeddedMongo;

beforeAll(async () => {
  server = await EmbeddedMongo.start();
});

afterAll(() => server.stop());

const connect = (): Promise<mongoose.Connection> =>
  mongoose.createConnection(server.uri, { dbName: 'watched' }).asPromise();

/** Writes to a collection that is not there right after watching it: the stream has to tell of it. */
async function watchThenWrite(
  connection: mongoose.Connection,
  name: string,
  schema: mongoose.Schema,
  connected?: Promise<unknown>,
): Promise<void> {
  const model = connection.model(name, schema, name);
  const stream = model.watch();
  const change = new Promise<unknown>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the change of ${name} is lost`)), 10_000);
    stream.on('change', (event: unknown) => {
      clearTimeout(timer);
      resolve(event);
    });
  });
  await connected;
  await model.create({ n: 1 });
  await expect(change).resolves.toMatchObject({ operationType: 'insert', fullDocument: { n: 1 } });
  await stream.close();
  connection.deleteModel(name);
}

describe.each(HOW)(
  'a stream opened right before a first write tells of it, where %s makes the collection',
  (how, schema) => {
    it('in a pool with open sockets', async () => {
      const connection = await connect();
      await Promise.all(Array.from({ length: 5 }, () => connection.db!.command({ ping: 1 })));
      for (let i = 0; i < RUNS; i++) await watchThenWrite(connection, `warm ${how} ${i}`, schema);
      await connection.close();
    }, 300_000);

    it('in a pool that is just opening', async () => {
      for (let i = 0; i < RUNS; i++) {
        const connection = await connect();
        await watchThenWrite(connection, `cold ${how} ${i}`, schema);
        await connection.close();
      }
    }, 300_000);

    it('in a connection that has not been opened', async () => {
      for (let i = 0; i < RUNS; i++) {
        const connection = mongoose.createConnection(server.uri, { dbName: 'watched' });
        await watchThenWrite(connection, `early ${how} ${i}`, schema, connection.asPromise());
        await connection.close();
      }
    }, 300_000);
  },
);

it('writes find the collection that was asked for before them', async () => {
  const { db } = await connect();
  const [made] = await Promise.all([
    db!.createCollection('ring', { capped: true, size: 4096, max: 2 }),
    db!.collection('ring').insertMany([{ n: 1 }, { n: 2 }, { n: 3 }]),
    db!.collection('ring').createIndex({ n: 1 }),
  ]);
  await expect(made.countDocuments()).resolves.toBe(2);
  await expect(made.options()).resolves.toMatchObject({ capped: true });
  await db!.client.close();
});

it('thousands of collections that nobody watches are made without waiting', async () => {
  const connection = await connect();
  const db = connection.db!;
  for (let i = 0; i < 300; i++) await db.collection(`first${i}`).insertOne({});
  const timeOf = async (work: (i: number) => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    for (let i = 0; i < 200; i++) await work(i);
    return performance.now() - began;
  };
  const existing = await timeOf(() => db.collection('first0').insertOne({}));
  const made = await timeOf((i) => db.collection(`made${i}`).insertOne({}));
  const asked = await timeOf((i) => db.createCollection(`asked${i}`));
  expect(made / existing).toBeLessThan(5); // with a millisecond each it would be twice that at least
  expect(asked / existing).toBeLessThan(5);
  await connection.close();
}, 300_000);
