// The codecs of lib/providers/bulk beside what a user would write with the driver and stream-json, in one run.
//   npm run build && node bench/bulk-codecs.mjs [documents]
import mongoose from 'mongoose';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parser } from 'stream-json';
import { streamArray } from 'stream-json/streamers/stream-array.js';
import { ArchiveWriter } from '../dist/esm/providers/bulk/codecs/archive.writer.js';
import { CanonicalJsonReader } from '../dist/esm/providers/bulk/codecs/canonical-json.reader.js';
import { CanonicalJsonWriter } from '../dist/esm/providers/bulk/codecs/canonical-json.writer.js';
import { sample } from './sample-documents.mjs';

const { BSON: bson } = mongoose.mongo;
const COUNT = Number(process.argv[2] ?? 155_000);
const documents = Array.from({ length: COUNT }, (_, i) => Buffer.from(bson.serialize(sample(i))));
const bsonBytes = documents.reduce((sum, document) => sum + document.length, 0);
console.log(`${COUNT} documents, ${(bsonBytes / COUNT).toFixed(0)} bytes of BSON each, Node ${process.version}\n`);

/** The best of three, in seconds. */
async function time(run) {
  let best = Infinity;
  for (let round = 0; round < 3; round++) {
    const start = process.hrtime.bigint();
    await run();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e9);
  }
  return best;
}
const report = (name, seconds, base) =>
  console.log(
    `${name.padEnd(52)} ${(bsonBytes / 1e6 / seconds).toFixed(0).padStart(5)} MB/s of BSON` +
      (base ? `   ${(base / seconds).toFixed(2)} x` : ''),
  );

const theirExport = await time(() => {
  let bytes = 0;
  for (const document of documents) {
    const line = bson.EJSON.stringify(bson.deserialize(document, { promoteValues: false }), { relaxed: false });
    bytes += Buffer.from(line).length;
  }
  return bytes;
});
report('export: deserialize + EJSON.stringify', theirExport);

const ourExport = await time(() => {
  const writer = new CanonicalJsonWriter({ initialSize: 1 << 18 });
  for (const document of documents) {
    writer.writeDocument(document);
    writer.writeText('\n');
    if (writer.length > 200_000) writer.take();
  }
});
report('export: ours', ourExport, theirExport);

// The archive takes documents as a server sends them: in batches of raw BSON.
const batches = [];
for (let i = 0; i < documents.length; i += 1000) batches.push(Buffer.concat(documents.slice(i, i + 1000)));
const archive = await time(() => {
  const definition = { name: 'c', type: 'collection', options: bson.serialize({}), indexes: [] };
  const writer = new ArchiveWriter('bench');
  let bytes = 0;
  const write = (chunks) => chunks.forEach((chunk) => (bytes += chunk.length));
  write(writer.begin({ concurrentCollections: 1, serverVersion: '8.0.0', toolVersion: '0' }, [definition]));
  for (const batch of batches) write(writer.documents(definition, batch));
  write(writer.endCollection(definition));
  return bytes;
});
report('export: archive, beside our JSON', archive, ourExport);

const lines = documents.map((document) => {
  const writer = new CanonicalJsonWriter({ initialSize: 4096 });
  writer.writeDocument(document);
  return writer.take().toString();
});
const lineBuffers = lines.map((line) => Buffer.from(`${line}\0`));
console.log();

const theirImport = await time(() => {
  for (const line of lineBuffers)
    bson.serialize(bson.EJSON.parse(line.toString('utf8', 0, line.length - 1), { relaxed: false }));
});
report('import: EJSON.parse + serialize', theirImport);

const ourImport = await time(() => {
  const reader = new CanonicalJsonReader({ initialSize: 1 << 20 });
  for (const line of lineBuffers) {
    reader.readDocument(line, 0, line.length - 1);
    if (reader.length > 1_000_000) reader.take();
  }
});
report('import: ours', ourImport, theirImport);

const streamed = await time(() =>
  pipeline(
    Readable.from(
      (function* () {
        yield '[';
        for (let i = 0; i < lines.length; i += 64) yield (i ? ',' : '') + lines.slice(i, i + 64).join(',');
        yield ']';
      })(),
    ),
    parser.asStream(),
    streamArray.asStream(),
    new Writable({
      objectMode: true,
      write({ value }, _, done) {
        bson.serialize(bson.EJSON.deserialize(value, { relaxed: false }));
        done();
      },
    }),
  ),
);
report("import: stream-json's streamArray + EJSON.deserialize", streamed);
report('import: ours', ourImport, streamed);
