import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { deserialize } from 'bson';
import { BulkFormatError } from '../../../../lib/providers/bulk/bulk.errors.js';
import { readCollectionEvents } from '../../../../lib/providers/bulk/codecs/collection.events.reader.js';
import { DocumentListWriter } from '../../../../lib/providers/bulk/codecs/document-list.writer.js';
import { CsvWriter } from '../../../../lib/providers/bulk/codecs/csv.writer.js';
import { splitDocuments } from '../../../../lib/providers/bulk/raw/raw-document.js';
import { validateDoc } from '../../../../packages/embedded-mongo/src/bson/validate.js';
import { mulberry32 } from '../../../support/random.js';
import { printedSeed } from '../../../support/seed.js';
import { bsonDocument } from './bson.arbitrary.js';
import { cut } from './import-file.reading.js';

const SEED = printedSeed('files of one collection');
const FILES = Number(process.env.POLYMONGO_FUZZ_FILES ?? 600);
/** What one damaged file of some kB may take of the processor; what takes longer is not linear. */
const CPU_MS = 1500;

type Kind = Parameters<typeof readCollectionEvents>[2];

async function read(chunks: Iterable<Uint8Array>, kind: Kind, onError: 'stop' | 'skip' = 'stop') {
  const [documents, numbers]: [Buffer[], number[]] = [[], []];
  for await (const event of readCollectionEvents(chunks, 'c', kind, { minChunkBytes: 0, onError })) {
    if (event.kind === 'rejected') numbers.push(event.documentNumber);
    if (event.kind !== 'documents') continue;
    for (const [i, document] of splitDocuments(Buffer.from(event.batch.bytes)).entries()) {
      documents.push(document);
      numbers.push(event.batch.firstNumber + i);
    }
  }
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  return documents;
}

function fileOf(documents: readonly Buffer[], format: 'jsonl' | 'json', jsonFormat: 'canonical' | 'relaxed'): Buffer {
  const writer = new DocumentListWriter(format, jsonFormat);
  writer.begin();
  for (const document of documents) writer.writeDocument(document);
  writer.end();
  return writer.take();
}

const inside = (array: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from('{"x":[{"items":1},"é"],"data":{"items":'),
    array,
    Buffer.from(',"next":"'),
    Buffer.from('y"}}'),
  ]);

test('canonical files give every document back byte for byte, wherever they are cut', async () => {
  const files = fc.tuple(fc.array(bsonDocument, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 6 }));
  await fc.assert(
    fc.asyncProperty(files, async ([documents, places]) => {
      for (const format of ['jsonl', 'json'] as const) {
        const file = fileOf(documents, format, 'canonical');
        expect(await read(cut(file, places), {})).toEqual(documents);
        if (format === 'json') expect(await read(cut(inside(file), places), { pick: 'data.items' })).toEqual(documents);
      }
    }),
    { seed: SEED, numRuns: 150 },
  );
});

test('relaxed files give back all but the type of a small int64', async () => {
  const textOf = (documents: readonly Buffer[]) =>
    fileOf(documents, 'jsonl', 'canonical')
      .toString()
      .replace(/(?<!"\$date":)\{"\$numberLong":"(-?\d{1,10})"\}/g, (long, digits: string) =>
        Number(digits) === (Number(digits) | 0) ? `{"$numberInt":"${digits}"}` : long,
      );
  await fc.assert(
    fc.asyncProperty(fc.array(bsonDocument, { maxLength: 4 }), async (documents) => {
      const again = await read([fileOf(documents, 'jsonl', 'relaxed')], {});
      expect(textOf(again)).toEqual(textOf(documents));
    }),
    { seed: SEED, numRuns: 150 },
  );
});

test('CSV of texts gives the texts back', async () => {
  const texts = fc.array(
    fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
    { minLength: 1, maxLength: 5 },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(texts), fc.array(fc.nat(), { maxLength: 6 }), async (rows, places) => {
      const names = ['k', 'a.b', 'a.c', 'd', 'e'];
      const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
      const wanted = rows.map((row) => row.map((text) => `t${text}`));
      const csv = [names, ...wanted].map((row) => row.map(cell).join()).join('\n');
      const documents = await read(cut(Buffer.from(csv), places), { format: 'csv' });
      const got = documents.map((document) => deserialize(document));
      expect(got.map(({ k, a, d, e }) => [k, a?.b, a?.c, d, e].filter((text) => text !== undefined))).toEqual(wanted);
      const writer = new CsvWriter(names);
      writer.begin();
      for (const document of documents) writer.writeDocument(document);
      expect((await read([writer.take()], { format: 'csv' })).map((document) => deserialize(document))).toMatchObject(
        got,
      );
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test('damaged files end with a BulkFormatError or give valid documents, soon', async () => {
  const sample = fc.sample(bsonDocument, { seed: SEED, numRuns: 30 });
  const list = fileOf(sample, 'json', 'relaxed');
  const csv = Buffer.from(`a,b.c,"d"\n${'1,"x ""y""\nz",\r\n-1.5,ü,"",\n'.repeat(40)}`);
  const files: readonly (readonly [Buffer, Kind])[] = [
    [fileOf(sample, 'jsonl', 'canonical'), {}],
    [list, {}],
    [inside(list), { pick: 'data.items' }],
    [csv, { format: 'csv' }],
  ];
  const random = mulberry32(SEED);
  const at = (length: number) => Math.floor(random() * length);
  for (let i = 0; i < FILES; i++) {
    const [good, kind] = files[i % files.length]!;
    let bytes = Buffer.from(good);
    for (let n = at(4); n >= 0; n--) {
      const place = at(bytes.length);
      const way = at(4);
      if (way === 0) bytes[place] = at(256);
      else if (way === 1) bytes = bytes.subarray(0, place);
      else if (way === 2) bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + at(40))]);
      else {
        const odd = ['"', '{', '[', ']', '\n', ',', '\\', '\0', '[{'.repeat(300), '"'.repeat(500), '9'.repeat(5000)][
          at(11)
        ]!;
        bytes = Buffer.concat([bytes.subarray(0, place), Buffer.from(odd), bytes.subarray(place)]);
      }
      if (bytes.length === 0) break;
    }
    const before = process.cpuUsage();
    try {
      for (const document of await read(cut(bytes, [at(9999), at(9999)]), kind, i % 3 === 0 ? 'stop' : 'skip'))
        validateDoc(document);
    } catch (error) {
      if (!(error instanceof BulkFormatError)) throw new Error(`file ${i} of seed ${SEED}`, { cause: error });
    }
    const { user, system } = process.cpuUsage(before);
    expect([i, (user + system) / 1000 < CPU_MS]).toEqual([i, true]);
  }
});
