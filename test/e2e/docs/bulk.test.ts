import { createReadStream, createWriteStream, renameSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished, pipeline } from 'node:stream/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { BulkTaskError, type ImportOptions, type PolyMongoBulk, PolyMongoWrapper } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { filter, throttleTime } from 'rxjs';

describe('docs/bulk.md', () => {
  let mongo: EmbeddedMongo;
  let polymongo: PolyMongoWrapper;
  let bulkTasks: PolyMongoBulk;
  let folder: string;
  let file: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'docs-bulk-'));
    file = join(folder, 'shop.json.gz');
  });
  afterAll(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    mongo = await EmbeddedMongo.start();
    polymongo = new PolyMongoWrapper({ mongoURI: mongo.uri, handleSignals: false });
    ({ bulkTasks } = polymongo);
    const { db } = await polymongo.pools.database('shop').connection.asPromise();
    await db!.collection('orders').insertMany([{ total: 12, paid: true }, { total: 7 }]);
    await db!.collection('sessions').insertOne({ secret: 's' });
  });
  afterEach(async () => {
    await polymongo.actions.closeAll();
    await mongo.stop();
  });
  const count = (db: string, collection: string) =>
    polymongo.pools.database(db).connection.collection(collection).countDocuments();

  it('copies and drops', async () => {
    // #region copy
    const { collections, failures, durationMS } = await bulkTasks.copyDatabase('shop', 'shop_copy');
    // collections: [{ name: 'orders', type: 'collection', documents: 2, indexes: 1, skipped: 0, bytes: 82 }, …]

    await bulkTasks.dropDatabase('shop_copy'); // streams closed, hooks run, caches cleared; asks nothing
    // #endregion
    expect([collections.length, failures, durationMS > 0]).toEqual([2, [], true]);
    expect(await count('shop_copy', 'orders')).toBe(0);
  });

  it('exports and imports files of one collection', async () => {
    const lines = join(folder, 'orders.jsonl');
    const orders = polymongo.pools.database('shop').connection.collection('orders');
    await orders.updateMany({}, { $set: { customer: { name: 'Ada' } } });
    // #region files of one collection
    await pipeline(bulkTasks.exportCollection('shop', 'orders'), createWriteStream(lines)); // canonical: nothing is lost
    await bulkTasks.importCollection('shop_copy', 'orders', createReadStream(lines), {
      upsertFields: ['_id'], // in the place of documents with the same values; without it all are inserted
    });

    const csv = bulkTasks.exportCollection('shop', 'orders', { format: 'csv', fields: ['_id', 'customer.name'] });
    await bulkTasks.importCollection('shop_copy', 'customers', csv, { format: 'csv' });

    const answer = JSON.stringify({ data: { items: [{ _id: 3, paid: true }] } });
    await bulkTasks.importCollection('shop_copy', 'orders', answer, { pick: 'data.items' }); // anywhere in any JSON
    // #endregion
    expect(await count('shop_copy', 'orders')).toBe(3);
    const customers = polymongo.pools.database('shop_copy').connection.collection('customers');
    expect(await customers.countDocuments({ 'customer.name': 'Ada' })).toBe(2);
  });

  it('copies to another cluster', async () => {
    const other = await EmbeddedMongo.start({ replSet: 'other' });
    // #region copy to another cluster
    const target = new PolyMongoWrapper({ mongoURI: other.uri });
    await bulkTasks.copyDatabase('shop', 'shop', { targetPools: target.pools, concurrency: 2 });
    // #endregion
    expect(await target.pools.database('shop').connection.collection('orders').countDocuments()).toBe(2);
    await target.actions.closeAll();
    await other.stop();
  });

  it('exports and imports an object', async () => {
    // #region an object
    const data = await bulkTasks.export('shop'); // { database, exportDate, collections: { orders: { documents, indexes } } }
    await writeFile(join(folder, 'shop.json'), JSON.stringify(data));

    await bulkTasks.import('shop_restored', JSON.parse(await readFile(join(folder, 'shop.json'), 'utf8')));
    // #endregion
    expect(await count('shop_restored', 'orders')).toBe(2);
  });

  it('streams files', async () => {
    // #region streams
    const exported = bulkTasks.exportStream('shop', { gzip: true, snapshot: true });
    await pipeline(exported, createWriteStream(file));
    const written = await exported.summary;

    const read = await bulkTasks.importStream('shop_restored', createReadStream(file)); // format and gzip are detected
    // #endregion
    expect(read.collections.map(({ documents }) => documents)).toEqual(written.collections.map((c) => c.documents));
  });

  it('writes archives', async () => {
    file = join(folder, 'shop.archive');
    // #region an archive
    await pipeline(bulkTasks.exportStream('shop', { format: 'archive' }), createWriteStream(file));
    await bulkTasks.importStream('shop_restored', createReadStream(file)); // or one of mongodump --archive --gzip
    // #endregion
    expect(await count('shop_restored', 'orders')).toBe(2);
  });

  it('chooses, renames and changes', async () => {
    // #region choose and change
    const stream = bulkTasks.exportStream('shop', {
      exclude: ['sessions'],
      query: { orders: { paid: true } },
      rename: { orders: 'paid_orders' },
      transform: (document) => ({ ...document, exported: true }), // null leaves a document out
    });
    // #endregion
    await bulkTasks.importStream('paid', stream);
    const { db } = await polymongo.pools.database('paid').connection.asPromise();
    expect((await db!.listCollections().toArray()).map(({ name }) => name)).toEqual(['paid_orders']);
    expect(await db!.collection('paid_orders').countDocuments({ exported: true, total: 12 })).toBe(1);
  });

  it('goes on where it stopped, in another process too', async () => {
    const checkpointFile = join(folder, 'shop.checkpoint');
    file = join(folder, 'resume.json');
    await pipeline(bulkTasks.exportStream('shop'), createWriteStream(file));
    // #region resume
    async function importShop(resumeFrom?: ImportOptions['resumeFrom']) {
      return bulkTasks.importStream('shop_restored', createReadStream(file), {
        ...(resumeFrom && { resumeFrom }), // 'start' reads the file again and leaves out what is there
        onProgress: ({ checkpoint }) => {
          writeFileSync(`${checkpointFile}.new`, JSON.stringify(checkpoint));
          renameSync(`${checkpointFile}.new`, checkpointFile); // a crash leaves the old or the new one
        },
      });
    }

    try {
      await importShop();
    } catch (error) {
      if (!(error instanceof BulkTaskError)) throw error;
      console.error(error.message, error.collection, error.documentNumber, error.byteOffset);
      await importShop(error.checkpoint ?? 'start');
    }
    // #endregion
    expect(await count('shop_restored', 'orders')).toBe(2);
    expect((await importShop('start')).collections[0]).toMatchObject({ documents: 0, skipped: 2 });
  });

  it('goes on behind documents that are refused', async () => {
    file = join(folder, 'bad.json');
    await writeFile(file, '{"collections":{"orders":{"documents":[{"_id":1},{"_id":1},{"_id":2}]}}}');
    const rejectsFile = join(folder, 'rejects.jsonl');
    // #region errors
    const checked = await bulkTasks.importStream('shop_restored', createReadStream(file), { dryRun: true });

    const rejects = createWriteStream(rejectsFile); // one JSON a line: where, why, and the document
    const summary = await bulkTasks.importStream('shop_restored', createReadStream(file), { onError: 'skip', rejects });
    rejects.end();
    // #endregion
    expect(checked.collections).toMatchObject([{ documents: 3 }]);
    expect(summary.collections).toMatchObject([{ documents: 2, skipped: 1 }]);
    await finished(rejects);
    expect(JSON.parse(await readFile(rejectsFile, 'utf8'))).toMatchObject({ documentNumber: 2, code: 11000 });
  });

  it('tells its progress and ends at a signal', async () => {
    const seen: number[] = [];
    // #region progress
    const subscription = bulkTasks.progress$
      .pipe(
        filter(({ task }) => task === 'copy'),
        throttleTime(1000),
      )
      .subscribe(({ documents, totalDocuments }) => seen.push(documents / totalDocuments!));

    await bulkTasks.copyDatabase('shop', 'shop_copy', {
      signal: AbortSignal.timeout(60_000),
      onProgress: ({ collection, isDone }) => console.log(collection, isDone),
    });
    // #endregion
    subscription.unsubscribe();
    expect(seen[0]).toBeGreaterThan(0);
  });

  it('carries what JSON cannot', async () => {
    const { db } = await polymongo.pools.database('odd').connection.asPromise();
    // #region the escape
    await db!.collection('c').insertOne({ _id: 1 as never, name: { $oid: 'not an id' } });
    const { collections } = await bulkTasks.export('odd');
    // collections.c.documents[0]: { _id: { $numberInt: '1' }, name: { $polymongoBson: '…the BSON in base64…' } }
    // #endregion
    expect(collections['c']!.documents[0]).toEqual({
      _id: { $numberInt: '1' },
      name: { $polymongoBson: Buffer.from(mongoose.mongo.BSON.serialize({ $oid: 'not an id' })).toString('base64') },
    });
  });
});
