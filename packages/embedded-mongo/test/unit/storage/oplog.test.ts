import { describe, expect, it } from '@jest/globals';
import { Storage } from '../../../src/storage/storage.js';
import { bytesFrom, collectionOf, docFrom, inUnit, insertAll, NS } from './fixture.js';

const signal = (): AbortSignal => AbortSignal.timeout(5_000);

describe('Oplog', () => {
  it('has every change in the order of commits, each with a growing time, a transaction with one', () => {
    const storage = new Storage();
    const collection = collectionOf(storage);
    const [first] = insertAll(storage, collection, [{ _id: 1 }, { _id: 2 }]);
    const transaction = storage.beginTransaction({ lsid: docFrom({ id: 'x' }), txnNumber: 4n });
    transaction.update(collection, first!, bytesFrom({ _id: 1, a: 1 }));
    transaction.remove(collection, first!);
    insertAll(storage, collection, [{ _id: 3 }]);
    transaction.commit();
    const entries = [...storage.oplog.after(0)];
    expect(entries.map(({ op }) => op)).toEqual(['create', 'insert', 'insert', 'insert', 'replace', 'delete']);
    const times = entries.map(({ ts }) => ts);
    expect([...new Set(times)].sort((a, b) => a - b)).toEqual([...new Set(times)]);
    expect(times[4]).toBe(times[5]);
    expect(entries.slice(4)).toMatchObject([
      { op: 'replace', owner: { txnNumber: 4n }, txnOpIndex: 0 },
      { op: 'delete', txnOpIndex: 1, ns: NS },
    ]);
    expect([...storage.oplog.after(times[4]!, 0)].map(({ op }) => op)).toEqual(['delete']);
    expect([...storage.oplog.after(times[4]!, 0, true)].map(({ op }) => op)).toEqual(['replace', 'delete']);
  });

  it('has nothing of an aborted unit', () => {
    const storage = new Storage();
    const collection = collectionOf(storage);
    const length = storage.oplog.length;
    const unit = storage.beginTransaction();
    unit.insert(collection, bytesFrom({ _id: 1 }));
    unit.abort();
    expect(storage.oplog.length).toBe(length);
  });

  it('is bounded, and says that history is lost to whoever resumes from before it', () => {
    const storage = new Storage({ oplog: { maxEntries: 2_000 } });
    const collection = collectionOf(storage);
    const start = storage.clock.now;
    for (let i = 0; i < 5; i++) {
      insertAll(storage, collection, Array.from({ length: 1_000 }, (_, n) => ({ _id: i * 1_000 + n }))); // prettier-ignore
    }
    expect(storage.oplog.length).toBe(2_000);
    expect(() => storage.oplog.after(start).next()).toThrow(/no longer be in the oplog/);
    const [oldest] = [...storage.oplog.after(storage.clock.now - 1)];
    expect(oldest?.op).toBe('insert');
  });

  it('gives a walk the entries that are committed while it waits between two', () => {
    const storage = new Storage({ oplog: { maxEntries: 3_000 } });
    const collection = collectionOf(storage);
    const walk = storage.oplog.after(storage.clock.now);
    const seen: number[] = [];
    for (let i = 0; i < 5; i++) {
      insertAll(storage, collection, Array.from({ length: 1_000 }, (_, n) => ({ _id: i * 1_000 + n }))); // prettier-ignore
      for (let n = 0; n < 1_000; n++) seen.push(walk.next().value!.ts);
    }
    expect(new Set(seen).size).toBe(5_000);
  });

  it('wakes waiters by the first entry they want, and lets go of those that are aborted', async () => {
    const storage = new Storage();
    const collection = collectionOf(storage);
    const now = storage.clock.now;
    const woken = storage.oplog.waitForNewer(now, signal(), ({ op }) => op === 'delete').then(() => 'delete');
    const aborted = new AbortController();
    const refused = storage.oplog.waitForNewer(now, aborted.signal).catch((error: Error) => error.message);
    aborted.abort(new Error('gone'));
    expect(await refused).toBe('gone');
    const [id] = insertAll(storage, collection, [{ _id: 1 }]);
    const isPending = Symbol();
    expect(await Promise.race([woken, Promise.resolve(isPending)])).toBe(isPending);
    inUnit(storage, (unit) => unit.remove(collection, id!));
    expect(await woken).toBe('delete');
    await storage.oplog.waitForNewer(now, signal());
  });
});
