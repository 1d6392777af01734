// The embedded server's storage by itself: inserts, finds by _id and by an index at two sizes, and memory per document.
// Run on the built package: node --expose-gc bench/embedded-storage.mjs [documents]
import { performance } from 'node:perf_hooks';
import { Int32, ObjectId } from 'bson';
import { decodeField } from '../dist/esm/bson/field.js';
import { encodeDoc } from '../dist/esm/bson/encode.js';
import { plainEnv } from '../dist/esm/query/env.js';
import { planQuery } from '../dist/esm/storage/plan/planner.js';
import { LATEST } from '../dist/esm/storage/read-view.js';
import { Storage } from '../dist/esm/storage/storage.js';

const SMALL = 100;
const LARGE = Number(process.argv[2] ?? 1_000_000);
const BATCH = 1_000;
const QUERIES = 100_000;
const ROUNDS = 20;
const PADDING = 'x'.repeat(980);

const memory = () => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

const timed = (work) => {
  const start = performance.now();
  work();
  return performance.now() - start;
};

function fill(storage, collection, count) {
  for (let done = 0; done < count; done += BATCH) {
    const unit = storage.beginWrite();
    for (let n = done; n < Math.min(done + BATCH, count); n++) {
      const doc = new Map([['_id', new ObjectId()], ['n', new Int32(n)], ['text', PADDING]]); // prettier-ignore
      unit.insert(collection, encodeDoc(doc));
    }
    unit.commit();
  }
}

/** A collection of so many documents, with what filling it and indexing it took. */
function build(count) {
  const storage = new Storage();
  const unit = storage.beginWrite();
  const collection = storage.catalog.create(unit, { db: 'bench', coll: 'docs' });
  unit.commit();
  const before = memory();
  const insertMS = timed(() => fill(storage, collection, count));
  const bytesEach = (memory() - before) / count;
  const ids = [...collection.scan(LATEST)].map(({ bytes }) => decodeField(bytes, '_id'));
  const indexing = storage.beginWrite();
  const key = new Map([['n', new Int32(1)]]);
  const buildMS = timed(() => collection.indexes.create(indexing, [new Map([['key', key]])]));
  indexing.commit();
  return { count, collection, ids, insertMS, buildMS, bytesEach, byIdMS: 0, byIndexMS: 0 };
}

/** Finds by _id and by the index, adding up the time each took. */
function query(stored, from) {
  const { collection, ids, count } = stored;
  const env = plainEnv();
  const find = (filter) => planQuery(collection, { filter, limit: 1 }, env).run(LATEST).next().value.bytes;
  const places = Array.from({ length: QUERIES / ROUNDS }, (_, i) => ((from + i) * 7919) % count);
  stored.byIdMS += timed(() => places.forEach((place) => find(new Map([['_id', ids[place]]]))));
  stored.byIndexMS += timed(() => places.forEach((place) => find(new Map([['n', new Int32(place)]]))));
}

const perSecond = (count, ms) => `${Math.round((count / ms) * 1000).toLocaleString('en')}/s`;

const [small, large] = [build(SMALL), build(LARGE)];
for (let round = 0; round < ROUNDS; round++) for (const stored of [small, large]) query(stored, round * QUERIES);
for (const { count, byIdMS, byIndexMS } of [small, large]) {
  const documents = `${count.toLocaleString('en')} documents of 1 KB`;
  console.log(`${documents}: find by _id ${perSecond(QUERIES, byIdMS)}, by an index ${perSecond(QUERIES, byIndexMS)}`);
}
console.log(
  `insert ${perSecond(LARGE, large.insertMS)}, index build ${perSecond(LARGE, large.buildMS)}, ${Math.round(large.bytesEach)} bytes each`,
);
const [byId, byIndex] = [small.byIdMS / large.byIdMS, small.byIndexMS / large.byIndexMS];
console.log(`large against small: find by _id ${byId.toFixed(2)}, by an index ${byIndex.toFixed(2)}`);
