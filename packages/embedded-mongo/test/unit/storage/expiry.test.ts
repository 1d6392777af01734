import { afterEach, describe, expect, it } from '@jest/globals';
import { LATEST } from '../../../src/storage/read-view.js';
import { Storage } from '../../../src/storage/storage.js';
import { bytesFrom, collectionOf, createIndex, docFrom, find, insertAll, plan } from './fixture.js';

const HOUR_MS = 3_600_000;

describe('expiry of documents', () => {
  let storage: Storage;
  const start = () => collectionOf((storage = new Storage()));
  const nextDelete = () =>
    storage.oplog.waitForNewer(storage.clock.now, AbortSignal.timeout(5_000), ({ op }) => op === 'delete');
  afterEach(() => storage.close());

  it('deletes what is past its time when a TTL index is made, and nothing else', async () => {
    const collection = start();
    insertAll(storage, collection, [
      { _id: 1, at: new Date(Date.now() - HOUR_MS) },
      { _id: 2, at: new Date() },
      { _id: 3, at: 'never' },
      { _id: 4 },
    ]);
    const deleted = nextDelete();
    createIndex(storage, collection, { at: 1 }, { expireAfterSeconds: 60 });
    await deleted;
    expect(find(collection, {})).toEqual(['2', '3', '4']);
  });

  it('deletes a document written later when its time comes, also by a descending index', async () => {
    const collection = start();
    createIndex(storage, collection, { at: -1 }, { expireAfterSeconds: 0 });
    const deleted = nextDelete();
    insertAll(storage, collection, [
      { _id: 1, at: new Date(Date.now() + HOUR_MS) },
      { _id: 2, at: new Date(Date.now() + 50) },
    ]);
    expect(collection.count).toBe(2);
    await deleted;
    expect(find(collection, {})).toEqual(['1']);
  });

  it.each([
    ['a time series by its time', { timeseries: { timeField: 'at' } }, (at: Date) => ({ _id: at.getTime(), at })],
    ['a clustered collection by its _id', { clusteredIndex: { unique: true } }, (at: Date) => ({ _id: at })],
  ])('ends the documents of %s', async (_title, options, docAt) => {
    storage = new Storage();
    const collection = collectionOf(storage, { ...options, expireAfterSeconds: 60 });
    const deleted = nextDelete();
    const [soon, late] = [new Date(Date.now() - 60_000 + 30), new Date()];
    insertAll(storage, collection, [{ ...docAt(late), n: 1 }, { ...docAt(soon), n: 2 }]); // prettier-ignore
    expect(collection.count).toBe(2);
    await deleted;
    expect(collection.count).toBe(1);
  });

  it('tries again after a pass that failed, and ends nothing with it', async () => {
    const collection = start();
    const write = storage.write.bind(storage);
    let failures = 1;
    storage.write = (work, options) => (failures-- > 0 ? Promise.reject(new Error('no')) : write(work, options));
    const deleted = nextDelete();
    insertAll(storage, collection, [{ _id: 1, at: new Date(Date.now() - HOUR_MS) }]);
    createIndex(storage, collection, { at: 1 }, { expireAfterSeconds: 60 });
    await deleted;
    expect(failures).toBe(-1);
    expect(collection.count).toBe(0);
  });

  it('waits for a transaction that has written the document', async () => {
    const collection = start();
    const [id] = insertAll(storage, collection, [{ _id: 1, at: new Date(0) }]);
    const transaction = storage.beginTransaction();
    transaction.update(collection, id!, bytesFrom({ _id: 1, at: new Date(1) }));
    const deleted = nextDelete();
    createIndex(storage, collection, { at: 1 }, { expireAfterSeconds: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20)); // the pass has met the transaction by then
    expect(collection.count).toBe(1);
    transaction.commit();
    await deleted;
    expect(collection.count).toBe(0);
  });

  it('keeps no timer when nothing can expire, and none after close', () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const collection = start();
    createIndex(storage, collection, { at: 1 }, { expireAfterSeconds: 60 });
    insertAll(storage, collection, [{ _id: 1, at: 5 }]);
    expect(timers()).toBe(before);
    insertAll(storage, collection, [{ _id: 2, at: new Date() }]);
    storage.close();
    expect(timers()).toBe(before);
  });
});

describe('capped collections', () => {
  it('keep the newest documents up to their number and size, in every index', () => {
    const storage = new Storage();
    const collection = collectionOf(storage, { capped: true, size: 200, max: 5 });
    createIndex(storage, collection, { n: 1 });
    for (let n = 0; n < 12; n++) insertAll(storage, collection, [{ _id: n, n }]);
    expect(find(collection, {})).toEqual(['7', '8', '9', '10', '11']);
    expect(find(collection, { n: { $gte: 0 } })).toEqual(['7', '8', '9', '10', '11']);
    expect(collection.count).toBe(5);
    insertAll(storage, collection, [{ _id: 'large', text: 'x'.repeat(140) }]);
    expect(find(collection, {})).toEqual(['11', 'large']);
    expect(
      [...plan(collection, {}, { hint: docFrom({ $natural: -1 }) }).run(LATEST)].map(({ doc }) =>
        String(doc.get('_id')),
      ),
    ).toEqual(['large', '11']);
    expect([...storage.oplog.after(0)].every(({ op }) => op !== 'delete')).toBe(true);
  });
});
