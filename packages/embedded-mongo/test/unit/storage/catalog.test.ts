import { describe, expect, it } from '@jest/globals';
import { CommandError } from '../../../src/errors.js';
import type { Collection } from '../../../src/storage/collection.js';
import { LATEST } from '../../../src/storage/read-view.js';
import { Storage } from '../../../src/storage/storage.js';
import { bytesFrom, collectionOf, find, inUnit, insertAll, NS } from './fixture.js';

describe('Catalog', () => {
  it('keeps database names apart whatever their case', () => {
    const storage = new Storage();
    collectionOf(storage);
    const other = { db: 'Shop', coll: 'x' };
    expect(() => inUnit(storage, (unit) => storage.catalog.create(unit, other))).toThrow(
      'db already exists with different case already have: [shop] trying to create [Shop]',
    );
    inUnit(storage, (unit) => storage.catalog.dropDatabase(unit, 'shop'));
    inUnit(storage, (unit) => storage.catalog.create(unit, other));
    expect(storage.catalog.dbNames).toEqual(['Shop']);
  });

  it('shows a collection that a transaction creates to others only when it commits', () => {
    const storage = new Storage();
    const transaction = storage.beginTransaction();
    const created = storage.catalog.create(transaction, NS) as Collection;
    transaction.insert(created, bytesFrom({ _id: 1 }));
    expect(storage.catalog.find(NS, LATEST)).toBeUndefined();
    expect(storage.catalog.list('shop', LATEST)).toEqual([]);
    expect(() => inUnit(storage, (unit) => storage.catalog.create(unit, NS))).toThrow(/Write conflict/);
    transaction.commit();
    expect(storage.catalog.find(NS, LATEST)).toBe(created);
    expect(find(created, {})).toEqual(['1']);
  });

  it('forgets what an aborted transaction created', () => {
    const storage = new Storage();
    const transaction = storage.beginTransaction();
    storage.catalog.create(transaction, NS);
    transaction.abort();
    expect(storage.catalog.dbNames).toEqual([]);
  });

  it('renames across databases with records, indexes and open snapshots but a new uuid, and replaces a target only when told', () => {
    const storage = new Storage();
    const collection = collectionOf(storage);
    insertAll(storage, collection, [{ _id: 1 }]);
    const to = { db: 'archive', coll: 'orders' };
    const target = inUnit(storage, (unit) => storage.catalog.create(unit, to)) as Collection;
    expect(() => inUnit(storage, (unit) => storage.catalog.rename(unit, NS, to))).toThrow('target namespace exists');
    const { uuid } = collection;
    inUnit(storage, (unit) => storage.catalog.rename(unit, NS, { ...NS, coll: 'old' }));
    expect(collection.uuid).toEqual(uuid);
    inUnit(storage, (unit) => storage.catalog.rename(unit, collection.ns, to, { dropTarget: true }));
    expect(collection.uuid).not.toEqual(uuid);
    expect(storage.catalog.find(to, LATEST)).toBe(collection);
    expect(storage.catalog.find(NS, LATEST)).toBeUndefined();
    expect(target.isDropped).toBe(true);
    expect(find(collection, { _id: 1 })).toEqual(['1']);
  });

  it.each(['', 'a/b', 'a.b', 'a b', '$x', 'x'.repeat(64)])('refuses the database name %j', (db) => {
    const storage = new Storage();
    expect(() => inUnit(storage, (unit) => storage.catalog.create(unit, { db, coll: 'c' }))).toThrow(CommandError);
  });
});

describe('Storage.write', () => {
  it('waits for the transaction that wrote the record, then writes over its result', async () => {
    const storage = new Storage();
    const collection = collectionOf(storage);
    const [id] = insertAll(storage, collection, [{ _id: 1, n: 0 }]);
    const transaction = storage.beginTransaction();
    transaction.update(collection, id!, bytesFrom({ _id: 1, n: 1 }));
    let attempts = 0;
    const written = storage.write((unit) => {
      attempts++;
      unit.update(collection, id!, bytesFrom({ _id: 1, n: 2 }));
    });
    await Promise.resolve();
    expect(attempts).toBe(1);
    transaction.commit();
    await written;
    expect(attempts).toBe(2);
    expect(find(collection, { n: 2 })).toEqual(['1']);
  });

  it('drops a collection only after the transactions that use it', async () => {
    const storage = new Storage();
    const collection = collectionOf(storage);
    const transaction = storage.beginTransaction();
    storage.catalog.collection(NS, transaction);
    const dropped = storage.write((unit) => storage.catalog.drop(unit, NS));
    await Promise.resolve();
    expect(storage.catalog.find(NS, LATEST)).toBe(collection);
    transaction.abort();
    await dropped;
    expect(storage.catalog.find(NS, LATEST)).toBeUndefined();
  });

  it('gives up waiting when its signal says so', async () => {
    const storage = new Storage();
    const collection = collectionOf(storage);
    const [id] = insertAll(storage, collection, [{ _id: 1 }]);
    const transaction = storage.beginTransaction();
    transaction.remove(collection, id!);
    const interrupted = new AbortController();
    const written = storage.write((unit) => unit.remove(collection, id!), { signal: interrupted.signal });
    interrupted.abort(new Error('too long'));
    await expect(written).rejects.toThrow('too long');
    transaction.abort();
    expect(find(collection, {})).toEqual(['1']);
  });
});

describe('Snapshots', () => {
  it('see one point in time for as long as they are open, and past times for a while after', () => {
    const storage = new Storage();
    const collection = collectionOf(storage);
    const [id] = insertAll(storage, collection, [{ _id: 1, n: 0 }]);
    const before = storage.clock.now;
    const snapshot = storage.snapshot();
    for (let n = 1; n < 8_000; n++) inUnit(storage, (unit) => unit.update(collection, id!, bytesFrom({ _id: 1, n })));
    expect(find(collection, { n: 0 }, snapshot)).toEqual(['1']);
    const recent = storage.clock.now - 100;
    snapshot.release();
    for (let n = 0; n < 10; n++) inUnit(storage, (unit) => unit.update(collection, id!, bytesFrom({ _id: 1, n })));
    expect(() => storage.snapshot(before)).toThrow(CommandError);
    expect(find(collection, { n: 0 }, storage.snapshot(recent))).toEqual([]);
    expect(find(collection, {}, storage.snapshot(recent))).toEqual(['1']);
  });
});
