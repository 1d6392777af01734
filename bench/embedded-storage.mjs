// The embedded server's storage by itself: inserts, finds by _id and by an index at two sizes, and memory per document.
// Run on the built package: node --expose-gc bench/embedded-storage.mjs [documents]
import { performance } from 'node:perf_hooks';
import { Int32, ObjectId } from 'bson';
import { decodeField } from '../dist/esm/testing/bson/field.js';
import { encodeDoc } from '../dist/esm/testing/bson/encode.js';
import { plainEnv } from '../dist/esm/testing/query/env.js';
import { planQuery } from '../dist/esm/testing/storage/plan/planner.js';
import { LATEST } from '../dist/esm/testing/storage/read-view.js';
import { Storage } from '../dist/esm/testing/storage/storage.js';

const SMALL = 100;
const LARGE = Number(process.argv[2] ?? 1_000_000);
const BATCH = 1_000;
const QUERIES = 100_000;
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

function measure(count) {
  const storage = new Storage();
  const unit = storage.beginWrite();
  const collection = storage.catalog.create(unit, { db: 'bench', coll: 'docs' });
  unit.commit();
  const before = memory();
  const insertMS = timed(() => fill(storage, collection, count));
  const bytesEach = (memory() - before) / count;
  const ids = [...collection.scan(LATEST)].map(({ bytes }) => decodeField(bytes, '_id'));
  const env = plainEnv();
  const find = (filter) => planQuery(collection, { filter, limit: 1 }, env).run(LATEST).next().value.bytes;
  const byIdMS = timed(() => {
    for (let i = 0; i < QUERIES; i++) find(new Map([['_id', ids[(i * 7919) % count]]]));
  });
  const build = storage.beginWrite();
  const buildMS = timed(() => collection.indexes.create(build, [new Map([['key', new Map([['n', new Int32(1)]])]])]));
  build.commit();
  const byIndexMS = timed(() => {
    for (let i = 0; i < QUERIES; i++) find(new Map([['n', new Int32((i * 7919) % count)]]));
  });
  return { count, insertMS, bytesEach, byIdMS, buildMS, byIndexMS };
}

const perSecond = (count, ms) => `${Math.round((count / ms) * 1000).toLocaleString('en')}/s`;

measure(SMALL);
const [small, large] = [measure(SMALL), measure(LARGE)];
for (const { count, insertMS, bytesEach, byIdMS, buildMS, byIndexMS } of [small, large]) {
  console.log(
    `${count.toLocaleString('en')} documents of 1 KB: insert ${perSecond(count, insertMS)}, find by _id ${perSecond(QUERIES, byIdMS)}, ` +
      `find by index ${perSecond(QUERIES, byIndexMS)}, index build ${perSecond(count, buildMS)}` +
      (count === LARGE ? `, ${Math.round(bytesEach)} bytes each` : ''),
  );
}
console.log(
  `find at ${LARGE.toLocaleString('en')} against ${SMALL}: by _id ${(small.byIdMS / large.byIdMS).toFixed(2)}, by index ${(small.byIndexMS / large.byIndexMS).toFixed(2)}`,
);
