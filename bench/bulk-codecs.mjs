// The codecs of lib/providers/bulk beside what a user would write with the driver and stream-json, in one run.
//   npm run build && node bench/bulk-codecs.mjs [documents]
import mongoose from 'mongoose';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parser } from 'stream-json';
import { jsonParser } from 'stream-json/core/parser.js';
import { streamArray } from 'stream-json/streamers/stream-array.js';
import { ArchiveWriter } from '../dist/esm/providers/bulk/codecs/archive.writer.js';
import { CanonicalJsonReader } from '../dist/esm/providers/bulk/codecs/canonical-json.reader.js';
import { CanonicalJsonWriter } from '../dist/esm/providers/bulk/codecs/canonical-json.writer.js';
import { ExportFileReader } from '../dist/esm/providers/bulk/codecs/export-file.reader.js';
import { row } from '../packages/embedded-mongo/bench/report.mjs';
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
/** Prints a rate, and how many times that of `base` it is; less than `bound` times makes the run fail. */
function report(name, seconds, base, bound) {
  const rate = `${(bsonBytes / 1e6 / seconds).toFixed(0).padStart(5)} MB/s of BSON`;
  const times = base ? `, ${(base / seconds).toFixed(2)} x` : '';
  row(name.padEnd(52), rate + times, bound && `at least ${bound} x`, base / seconds >= bound);
}

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
report('export: ours', ourExport, theirExport, 2.5);

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
report('export: archive, beside our JSON', archive, ourExport, 8);

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
report('import: ours', ourImport, theirImport, 2);

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
report('import: ours', ourImport, streamed, 3);
console.log();

// A file of another tool. To give byte offsets, stream-json has to be fed piece by piece, cut at every brace.
const pretty = Buffer.from(
  JSON.stringify(
    { collections: { c: { documents: lines.slice(0, 20_000).map((line) => JSON.parse(line)) } } },
    null,
    2,
  ),
);
const prettyBytes = documents.slice(0, 20_000).reduce((sum, document) => sum + document.length, 0);
const chunks = Array.from({ length: Math.ceil(pretty.length / 65_536) }, (_, i) =>
  pretty.subarray(i * 65_536, (i + 1) * 65_536),
);
const reportPretty = (name, seconds, base) =>
  report(name, (seconds * bsonBytes) / prettyBytes, base && (base * bsonBytes) / prettyBytes);

const theirTokens = await time(() => {
  const parse = jsonParser({ streamValues: false });
  for (const chunk of chunks) parse(chunk.latin1Slice());
});
reportPretty("indented: stream-json's tokens alone", theirTokens);

const theirPieces = await time(() => {
  const parse = jsonParser({ streamValues: false });
  for (const chunk of chunks) {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      if (chunk[at] !== 123 && chunk[at] !== 125) continue;
      parse(chunk.latin1Slice(from, at + 1));
      from = at + 1;
    }
    parse(chunk.latin1Slice(from));
  }
});
reportPretty('indented: the same, with byte offsets', theirPieces, theirTokens);

const ourPretty = await time(() => {
  const reader = new ExportFileReader();
  let count = 0;
  for (const chunk of chunks)
    for (const event of reader.push(chunk)) if (event.kind === 'documents') count += event.batch.byteOffsets.length;
  for (const event of reader.finish()) void event;
  if (count !== Math.min(COUNT, 20_000)) throw new Error(`${count} documents were read`);
});
reportPretty('indented: ours, to BSON', ourPretty, theirTokens);
