import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import { ArchiveWriter } from '../../../lib/providers/bulk/codecs/archive.writer.js';
import { PolyMongoWrapper } from '../../../lib/polymongo.wrapper.js';
import { EmbeddedMongo } from '../../../lib/testing/index.js';
import { BulkFixture, readAll, streamOf } from './bulk.fixture.js';

const { BSON } = mongoose.mongo;
let fixture: BulkFixture;
beforeAll(async () => {
  fixture = await BulkFixture.start();
});
afterAll(() => fixture.stop());

test.each(['json', 'archive'] as const)(
  'documents of 16 MB come back byte for byte (%s)',
  async (format) => {
    const [name, copy] = [fixture.name(), fixture.name()];
    const room = 16 * 1024 * 1024 - BSON.calculateObjectSize({ _id: 1, text: '' }) - 1; // insertMany takes no more
    await fixture.insert(name, 'c', [{ _id: 1, text: '\n'.repeat(room) }]);
    await fixture.insert(name, 'c', [{ _id: 2, text: 'x'.repeat(room) }]);
    await fixture.bulk.importStream(copy, fixture.bulk.exportStream(name, { format }));
    expect(await fixture.bytesOf(copy, 'c')).toEqual(await fixture.bytesOf(name, 'c'));
  },
  120_000,
);

test.each(['json', 'archive'] as const)(
  'a thousand collections come back (%s)',
  async (format) => {
    const copy = fixture.name();
    const collections = Object.fromEntries(
      Array.from({ length: 1000 }, (_, i) => [`c${i}`, { documents: [{ _id: i }], indexes: [] }]),
    );
    const many = fixture.name();
    await fixture.bulk.import(many, { database: 'd', exportDate: '', collections });
    const bytes = await readAll(fixture.bulk.exportStream(many, { format, gzip: true }));
    const summary = await fixture.bulk.importStream(copy, streamOf(bytes));
    expect(summary.collections).toHaveLength(1000);
    expect(summary.collections.every(({ documents }) => documents === 1)).toBe(true);
  },
  120_000,
);

test('of an archive of several databases the one that is named is imported', async () => {
  const archive = (database: string, n: number) => {
    const writer = new ArchiveWriter(database);
    const definition = { name: 'c', type: 'collection', options: BSON.serialize({}), indexes: [] };
    const [magic, header, metadata, end] = writer.begin(
      { concurrentCollections: 1, serverVersion: '7.0.0', toolVersion: 'mongodump' },
      [definition],
    );
    const documents = [
      ...writer.documents(definition, BSON.serialize({ _id: n })),
      ...writer.endCollection(definition),
    ];
    return { prelude: [magic!, header!], metadata: metadata!, end: end!, documents };
  };
  const [a, b, admin] = [archive('a', 1), archive('b', 2), archive('admin', 3)];
  const join = (...all: (typeof a)[]) =>
    Buffer.concat([
      ...a.prelude,
      ...all.map(({ metadata }) => metadata),
      a.end,
      ...all.flatMap(({ documents }) => documents),
    ]);

  await expect(fixture.bulk.import(fixture.name(), join(a, b))).rejects.toThrow('several databases ("a", "b"');
  const [named, only] = [fixture.name(), fixture.name()];
  await fixture.bulk.import(named, join(a, b), { sourceDatabase: 'b' });
  await fixture.bulk.import(only, join(admin, a));
  const ids = await Promise.all([named, only].map(async (name) => fixture.bytesOf(name, 'c')));
  expect(ids).toEqual([2, 1].map((_id) => [Buffer.from(BSON.serialize({ _id })).toString('hex')]));
});

describe('with a server or a pool that goes away', () => {
  let mongo: EmbeddedMongo;
  beforeAll(async () => {
    mongo = await EmbeddedMongo.start();
    const client = await new mongoose.mongo.MongoClient(mongo.uri).connect();
    await client
      .db('shop')
      .collection('c')
      .insertMany(Array.from({ length: 5000 }, (_, i) => ({ _id: i, text: 'x'.repeat(500) })) as never[]);
    await client.close();
  });
  afterAll(() => mongo.stop());

  test.each([
    ['the pool is closed by force', (wrapper: PolyMongoWrapper) => wrapper.actions.forceCloseAll()],
    ['the server restarts', () => mongo.restart()],
  ])('an export fails, and does not just end, when %s', async (_, goAway) => {
    const wrapper = new PolyMongoWrapper({ mongoURI: mongo.uri, handleSignals: false });
    const stream = wrapper.bulkTasks.exportStream('shop');
    const reading = async () => {
      let isFirst = true;
      for await (const chunk of stream) {
        void chunk;
        if (isFirst) await goAway(wrapper);
        isFirst = false;
      }
    };
    await expect(reading()).rejects.toMatchObject({ name: 'BulkTaskError' });
    await expect(stream.summary).rejects.toMatchObject({ name: 'BulkTaskError', task: 'Exporting shop' });
    await wrapper.actions.forceCloseAll();
  });

  test('a running task keeps its pool open', async () => {
    const wrapper = new PolyMongoWrapper({ mongoURI: mongo.uri, handleSignals: false });
    const stream = wrapper.bulkTasks.exportStream('shop');
    const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    await iterator.next();
    expect(wrapper.pools.primary.hasLongLease).toBe(true);
    const closing = wrapper.actions.closeAll();
    while (!(await iterator.next()).done);
    expect((await stream.summary).collections).toMatchObject([{ documents: 5000 }]);
    await closing;
    expect(wrapper.pools.primary.leaseCount).toBe(0);
  });
});
