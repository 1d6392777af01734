import { afterAll, beforeAll, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { EmbeddedMongo } from 'embedded-mongo';

const RUNS = Number(process.env['POLYMONGO_WATCH_RUNS'] ?? 25);
const schema = new mongoose.Schema({ n: Number }, { autoCreate: false, autoIndex: false });
let server: EmbeddedMongo;

beforeAll(async () => {
  server = await EmbeddedMongo.start();
});

afterAll(() => server.stop());

const connect = (): Promise<mongoose.Connection> =>
  mongoose.createConnection(server.uri, { dbName: 'watched' }).asPromise();

/** Writes to a collection that is not there right after watching it: the stream has to tell of it. */
async function watchThenWrite(connection: mongoose.Connection, name: string): Promise<void> {
  const model = connection.model(name, schema, name);
  const stream = model.watch();
  const change = new Promise<unknown>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the change of ${name} is lost`)), 10_000);
    stream.on('change', (event: unknown) => {
      clearTimeout(timer);
      resolve(event);
    });
  });
  await model.create({ n: 1 });
  await expect(change).resolves.toMatchObject({ operationType: 'insert', fullDocument: { n: 1 } });
  await stream.close();
  connection.deleteModel(name);
}

it('a stream opened right before a write that makes its collection tells of it, in a pool with open sockets', async () => {
  const connection = await connect();
  await Promise.all(Array.from({ length: 5 }, () => connection.db!.command({ ping: 1 })));
  for (let i = 0; i < RUNS; i++) await watchThenWrite(connection, `warm${i}`);
  await connection.close();
}, 300_000);

it('a stream opened right before a write that makes its collection tells of it, in a pool that is just opening', async () => {
  for (let i = 0; i < RUNS; i++) {
    const connection = await connect();
    await watchThenWrite(connection, `cold${i}`);
    await connection.close();
  }
}, 300_000);

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
  expect(made / existing).toBeLessThan(5); // with a millisecond each it would be twice that at least
  await connection.close();
}, 300_000);
