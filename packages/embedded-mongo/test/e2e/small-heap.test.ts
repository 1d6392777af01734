import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import mongoose, { type mongo } from 'mongoose';

const SCRIPT = fileURLToPath(new URL('../support/small-heap.mjs', import.meta.url));

let child: ChildProcess;
let client: mongo.MongoClient;
let db: mongo.Db;

/** @param share of the heap that is taken by something else */
async function start(megabytes: number, share = 0): Promise<void> {
  child = spawn(process.execPath, [`--max-old-space-size=${megabytes}`, SCRIPT, String(share)], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const [uri] = (await once(child.stdout!, 'data')) as [Buffer];
  client = await new mongoose.mongo.MongoClient(uri.toString().trim()).connect();
  db = client.db('small');
  await db.collection<{ _id: number }>('one').insertOne({ _id: 1 });
}

afterEach(async () => {
  await client.close();
  child.stdin!.end();
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
});

const many = (n: number): object[] => [{ $project: { n: { $range: [0, n] } } }, { $unwind: '$n' }];
const heavy = { $set: { pad: { $map: { input: { $range: [0, 40] }, in: { v: '$$this' } } } } };
const held = { $sort: { pad: -1, n: 1 } };
/** A megabyte. */
const text = { $reduce: { input: { $range: [0, 20] }, initialValue: 'x', in: { $concat: ['$$value', '$$value'] } } };
const texts = [{ $set: { s: text } }, { $set: { n: { $range: [0, 2_000] } } }, { $unwind: '$n' }];
const another = { $concat: [{ $toString: '$n' }, '$s'] };
const all = { coll: 'one', pipeline: [...many(20_000), heavy] };

describe('a process that has little memory', () => {
  it.each<[string, object[]]>([
    ['$densify', [{ $set: { n: 0 } }, { $densify: { field: 'n', range: { step: 1, bounds: [0, 400_000] } } }, heavy, held]], // prettier-ignore
    ['$unionWith', [{ $unionWith: all }, { $unionWith: all }, { $unionWith: all }, held]],
    [
      '$lookup',
      [
        ...many(20_000),
        { $lookup: { from: 'one', as: 'j', let: { x: '$n' }, pipeline: [...many(100), { $set: { x: '$$x' } }] } },
        held,
      ],
    ],
    ['$graphLookup', [...many(20_000), { $graphLookup: { from: 'numbers', startWith: '$_id', connectFromField: 'to', connectToField: 'k', as: 'g' } }, { $set: { g: { $map: { input: '$g', in: { $mergeObjects: ['$$this', { a: '$n' }] } } } } }, held]], // prettier-ignore
    ['$sort of long strings', [...texts, { $set: { s: another } }, { $sort: { s: 1 } }]],
    ['$group by long strings', [...texts, { $group: { _id: another } }]],
    ['an array of long strings', [{ $set: { s: text } }, { $set: { s: { $map: { input: { $range: [0, 2_000] }, in: { $toUpper: { $concat: ['$s', { $toString: '$$this' }] } } } } } }]], // prettier-ignore
    ['$sort after $unwind', [...many(1_000_000), heavy, held]],
    ['$facet after $unwind', [...many(1_000_000), heavy, { $facet: { a: [held], b: [{ $count: 'n' }] } }]],
  ])(
    "keeps it: what %s fills it with ends with MongoDB's error",
    async (_title, pipeline) => {
      await start(120);
      await db.collection('numbers').insertMany(Array.from({ length: 50 }, (_, k) => ({ k, to: k + 1 })));
      const found = db.collection('one').aggregate([...pipeline, { $count: 'n' }]);
      await expect(found.toArray()).rejects.toMatchObject({ code: 146, codeName: 'ExceededMemoryLimit' });
      expect(await db.command({ ping: 1 })).toMatchObject({ ok: 1 });
      expect(child.exitCode).toBeNull();
    },
    120_000,
  );

  it('keeps it: cursors that nobody reads on end with an error before they fill it', async () => {
    await start(120);
    const open = { aggregate: 1, pipeline: [{ $documents: { $range: [0, 50_000] } }], cursor: { batchSize: 0 } };
    const openAll = async () => {
      for (let i = 0; i < 2_000; i++) await db.command(open);
    };
    await expect(openAll()).rejects.toMatchObject({ code: 146, codeName: 'ExceededMemoryLimit' });
    expect(await db.command({ ping: 1 })).toMatchObject({ ok: 1 });
    expect(child.exitCode).toBeNull();
  }, 120_000);

  it('refuses nothing for the garbage of what was done before', async () => {
    await start(400, 0.67);
    for (let i = 0; i < 15; i++) {
      const found = db.collection('one').aggregate([...many(500), heavy, held, { $count: 'n' }]);
      expect(await found.toArray()).toEqual([{ n: 500 }]);
    }
  }, 120_000);
});
