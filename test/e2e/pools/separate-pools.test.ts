import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import type { PolyMongoWrapper } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { usePools } from '../../support/pools-fixture.js';

interface Author {
  name: string;
}
interface Book {
  title: string;
  author: mongoose.Types.ObjectId;
}

const fixture = usePools();
let elsewhere: EmbeddedMongo;
let polymongo: PolyMongoWrapper;

beforeAll(async () => {
  elsewhere = await EmbeddedMongo.start();
});
afterAll(() => elsewhere.stop());
beforeEach(() => {
  polymongo = fixture.create({
    dbSpecific: [
      { dbName: 'far', mongoURI: elsewhere.uri, options: { maxConnections: 3 } },
      { dbName: 'tenant_far', mongoURI: elsewhere.uri },
      { dbName: 'near', options: { maxConnections: 2 } },
    ],
  });
});

function models() {
  const instance = new mongoose.Mongoose();
  const bookSchema = new mongoose.Schema<Book, mongoose.Model<Book> & { titles(): Promise<string[]> }>(
    { title: String, author: { type: mongoose.Schema.Types.ObjectId, ref: 'Author' } },
    {
      statics: {
        titles(this: mongoose.Model<Book>) {
          return this.distinct('title');
        },
      },
    },
  );
  const authors = polymongo.wrapModel(instance.model<Author>('Author', new mongoose.Schema<Author>({ name: String })));
  const books = polymongo.wrapModel(
    instance.model<Book, mongoose.Model<Book> & { titles(): Promise<string[]> }>('Book', bookSchema),
  );
  return { authors, books };
}

/** The names of the databases that hold something on a server. */
async function namesOn(server: EmbeddedMongo): Promise<string[]> {
  const client = await new mongoose.mongo.MongoClient(server.uri).connect();
  const { databases } = await client.db().admin().listDatabases();
  await client.close();
  return databases.map(({ name }) => name).filter((name) => !['admin', 'local', 'config'].includes(name));
}

it('models, statics, populate, .tenant() and statistics of a database use its own pool, on its own cluster', async () => {
  const { authors, books } = models();
  const ann = await authors.db('far').create({ name: 'Ann' });
  await books.db('far').create({ title: 'One', author: ann._id });
  expect(await books.db('far').titles()).toEqual(['One']);
  const book = await books.db('far').findOne().populate<{ author: Author }>('author').orFail();
  expect(book.author.name).toBe('Ann');
  await polymongo.tenantContext.run('far', () => books.tenant().create({ title: 'Two', author: ann._id }));
  expect(polymongo.pools.primary.state).toBe('cold');
  expect(await namesOn(elsewhere)).toEqual(['far', 'tenant_far']);
  expect(await namesOn(fixture.server)).toEqual([]);

  const { separateDB, primary } = polymongo.stats.general();
  expect(separateDB).toMatchObject([
    { dbName: 'far', readyState: 1, isInitialized: true, poolStats: { maxPoolSize: 3, inUseConnections: 0 } },
    { dbName: 'tenant_far', readyState: 1 },
    { dbName: 'near', readyState: 0, isInitialized: false },
  ]);
  expect(separateDB[0]!.poolStats.totalConnections).toBeGreaterThan(0);
  expect(primary.poolStats.totalConnections).toBe(0);
  expect(await polymongo.stats.db('far')).toMatchObject({ numCollections: 2, mongoURI: elsewhere.uri });
  expect((await polymongo.stats.listDatabases()).map(({ dbName }) => dbName)).toEqual(
    expect.arrayContaining(['far', 'tenant_far']),
  );
});

it('change streams and bulk tasks of a database use its own pool, on its own cluster', async () => {
  const { authors } = models();
  const seen = new Promise<unknown>((resolve, reject) => {
    const onOpen = () => void authors.db('far').create({ name: 'Zoe' }).catch(reject);
    const subscription = authors
      .db('far')
      .watch$({ operationTypes: ['insert'], onOpen })
      .subscribe({
        next: (change) => {
          subscription.unsubscribe();
          resolve(change);
        },
        error: reject,
      });
  });
  expect(await seen).toMatchObject({ fullDocument: { name: 'Zoe' } });
  const exported = await polymongo.bulkTasks.export('far');
  await polymongo.bulkTasks.import('tenant_far', exported);
  await polymongo.bulkTasks.copyDatabase('far', 'tenant_far');
  expect(await authors.db('tenant_far').countDocuments({ name: 'Zoe' })).toBe(1);
  expect(polymongo.pools.primary.state).toBe('cold');
  await polymongo.bulkTasks.copyDatabase('far', 'near');
  expect(await namesOn(fixture.server)).toEqual(['near']);
  await polymongo.bulkTasks.dropDatabase('near');
  expect(polymongo.pools.primary.state).toBe('cold');
});

it('watch() is not wrapped again each time it is asked for', async () => {
  const { authors } = models();
  await authors.db('far').create({ name: 'Ann' });
  for (let i = 0; i < 20_000; i++) void authors.db('far').db.db!.watch;
  const far = authors.db('far');
  const streams = [far.collection.watch(), far.db.db!.watch()] as unknown as {
    tryNext(): Promise<unknown>;
    close(): Promise<void>;
  }[];
  for (const stream of streams) {
    expect(await stream.tryNext()).toBeNull();
    await stream.close();
  }
  expect(polymongo.pools.poolOf('far').leaseCount).toBe(0);
});

describe('a database with a pool of its own', () => {
  it('never waits for the primary pool, and the other way round', async () => {
    const { authors } = models();
    const near = await polymongo.pools.database('near').enter('operation');
    expect(near.pool).toBe(polymongo.pools.poolOf('near'));
    expect(near.pool).not.toBe(polymongo.pools.primary);
    near.release();
    await authors.db('near').findOne();
    expect(polymongo.pools.primary.state).toBe('cold');
    await authors.findOne();
    expect(polymongo.pools.primary.state).toBe('connected');
  });

  it('takes its options on every path: configured, set and connected', async () => {
    const created: string[] = [];
    const onConnectionCreate = (_: unknown, name: string) => created.push(name);
    const { authors } = models();
    polymongo.scale.setDB('set', { minConnections: 2, maxConnections: 4, onConnectionCreate });
    await polymongo.scale.connectDB('connected', { onConnectionCreate, driverOptions: { appName: 'mine' } });
    await authors.db('set').findOne();
    expect(created.sort()).toEqual(['connected', 'set']);
    expect(polymongo.pools.poolOf('set').stats).toMatchObject({ minPoolSize: 2, maxPoolSize: 4 });
    expect(polymongo.pools.poolOf('connected').client.options.appName).toBe('mine');
  });

  it('does not fail its callers when onConnectionCreate throws; onDbError hears of it', async () => {
    const failures: unknown[] = [];
    polymongo.onDbError((error) => failures.push(error));
    const failure = new Error('mine');
    polymongo.scale.setDB('failing', {
      onConnectionCreate: () => {
        throw failure;
      },
    });
    expect(await models().authors.db('failing').countDocuments()).toBe(0);
    expect(failures).toEqual([failure]);
  });
});
