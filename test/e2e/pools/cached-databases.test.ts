import { beforeEach, describe, expect, it } from '@jest/globals';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { PolyModel, PolyMongoWrapper } from 'nestjs-polymongo';
import { wrapItems, type Item } from '../../support/items.js';
import { usePools } from '../../support/pools-fixture.js';
import { turns } from '../../support/turns.js';

const MAX = 50;
const TENANTS = process.env.POLYMONGO_LONG ? 10_000 : 3_000;
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

const fixture = usePools();
let polymongo: PolyMongoWrapper;
let items: PolyModel<Item>;

beforeEach(() => {
  polymongo = fixture.create({ maxCachedDatabases: MAX });
  items = wrapItems(polymongo, { autoIndex: false });
});

const cached = () => polymongo.pools.databases.size;

describe('maxCachedDatabases', () => {
  it(`bounds memory when ${TENANTS} tenants are touched in turn, without a listener warning`, async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    const touch = async (from: number, to: number) => {
      for (let i = from; i < to; i += 100) {
        await Promise.all(Array.from({ length: 100 }, (_, j) => items.db(`many_${i + j}`).findOne()));
      }
    };
    const heapMB = async () => {
      await turns();
      gc();
      return process.memoryUsage().heapUsed / 2 ** 20;
    };
    await touch(0, 1_000);
    const before = await heapMB();
    await touch(1_000, TENANTS);
    expect((await heapMB()) - before).toBeLessThan(5);
    expect(cached()).toBeLessThanOrEqual(MAX);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  it('lets the least recently used go, never the default one or one with work under way', async () => {
    await items.findOne();
    await items.db('lru_busy').create({ n: 1 });
    const cursor = items.db('lru_busy').find().cursor({ batchSize: 0 });
    const lease = await polymongo.pools.database('lru_busy').enter('long');
    for (let i = 0; i < 2 * MAX; i++) await items.db(`lru_${i}`).findOne();
    const names = [...polymongo.pools.databases.keys()];
    expect(names).toHaveLength(MAX);
    expect(names).toEqual(expect.arrayContaining(['default', 'lru_busy', `lru_${2 * MAX - 1}`]));
    expect(names).not.toContain('lru_0');
    expect((await cursor.next())?.n).toBe(1);
    await cursor.close();
    lease.release();
  });

  it('does not count, or let go, databases with a pool of their own', async () => {
    polymongo.scale.setDB(['own_a', 'own_b']);
    const heard: string[] = [];
    polymongo.onTheseDBDisconnect(['own_a', 'own_b'], ({ name }) => heard.push(name));
    await items.db('own_a').findOne();
    await items.db('own_b').findOne();
    for (let i = 0; i < 2 * MAX; i++) await items.db(`sep_${i}`).findOne();
    expect(heard).toEqual([]);
    expect(cached()).toBe(MAX + 2);
  });

  it('keeps a model, a document and a query that somebody held working, and is the same model again', async () => {
    const kept = items.db('kept');
    const document = await kept.create({ n: 1 });
    for (let i = 0; i < 2 * MAX; i++) await items.db(`held_${i}`).findOne();
    expect([...polymongo.pools.databases.keys()]).not.toContain('kept');
    document.n = 2;
    await document.save();
    expect(await kept.countDocuments({ n: 2 })).toBe(1);
    expect([...polymongo.pools.databases.keys()]).toContain('kept');
    expect(items.db('kept')).toBe(kept);
  });

  it('runs disconnect hooks for one that is let go, which may use it, and connect hooks when it comes back', async () => {
    const heard: string[] = [];
    polymongo.onTheseDBConnect('hooked', () => heard.push('connect'));
    polymongo.onTheseDBDisconnect('hooked', async (connection) => {
      const count = await connection.collection('items').countDocuments();
      heard.push(`disconnect ${count}`);
    });
    await items.db('hooked').create({ n: 1 });
    await polymongo.pools.release('hooked', 'evicted');
    expect(heard).toEqual(['connect', 'disconnect 1']);
    await items.db('hooked').findOne();
    expect(heard).toEqual(['connect', 'disconnect 1', 'connect']);
  });
});
