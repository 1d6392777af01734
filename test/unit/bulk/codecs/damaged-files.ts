import { gzipSync } from 'node:zlib';
import { serialize } from 'bson';
import * as fc from 'fast-check';
import { ArchiveWriter } from '../../../../lib/providers/bulk/codecs/archive.writer.js';
import { ExportFileWriter } from '../../../../lib/providers/bulk/codecs/export-file.writer.js';
import { mulberry32 } from '../../../support/random.js';
import { bsonDocument } from './bson.arbitrary.js';

const EMPTY = serialize({});
const INDEX = serialize({ v: 2, key: { _id: 1 }, name: '_id_' });
const DEFINITIONS = [
  { name: 'orders', type: 'collection', options: EMPTY, indexes: [INDEX] },
  { name: 'series', type: 'timeseries', options: serialize({ timeseries: { timeField: 'at' } }), indexes: [] },
  { name: 'few', type: 'view', options: serialize({ viewOn: 'orders', pipeline: [] }), indexes: [] },
];
/** Type wrappers that our own files do not have, and what has hung readers. */
const FOREIGN = `{ "collections": { "c": { "documents": [
  { "_id": 1, "code": { "$code": "f", "$scope": { "a": { "$code": "g", "$scope": {} } } } },
  { "a": { "$scope": { "b": 1 }, "$code": "f" }, "p": { "$dbPointer": { "$ref": "c", "$id": { "$oid": "5f0000000000000000000001" } } } },
  { "$polymongoBson": "CAAAAAphAAA=" }, { "d": { "$polymongoBson": "BQAAAAA=" }, "b": { "$binary": "//8=", "$type": "05" } },
  { "r": { "$regex": "x", "$options": "i" }, "n": 12345678901234567890.5e-3, "d": { "$date": "2020-02-29T12:00:00.5Z" } },
  { "u": { "$uuid": "c8edabc3-f738-4ca3-b68d-ab92a91478a3" }, "m": { "$numberDecimal": "1.5E+3" }, "l": { "$numberLong": "-9" } }
], "indexes": [{ "v": 2, "key": { "a": 1 }, "name": "a_1" }], "options": { "validator": { "a": 1 } } } } }`;

/** Numbers that lengths must not be. */
const LENGTHS = [-1, -7, -5, 0, 1, 4, 5, 6, 12, 127, 255, 65_536, 0x0fffffff, 0x7fffffff, -0x80000000];

/** Files as they should be, by seed. @param copies how often each document is in it: some hundreds make a megabyte */
export function goodFile(seed: number, copies = 1): Buffer {
  const random = mulberry32(seed);
  const few = fc.sample(bsonDocument, { seed, numRuns: 8 }).map((document) => Buffer.from(document));
  const documents = Array.from({ length: copies }, () => few).flat();
  const kind = Math.floor(random() * 5);
  const file = kind === 0 ? Buffer.from(FOREIGN) : kind < 3 ? archiveOf(documents) : exportOf(documents, kind === 4);
  return random() < 0.2 ? gzipSync(file) : file;
}

function archiveOf(documents: readonly Uint8Array[]): Buffer {
  const writer = new ArchiveWriter('shop');
  const header = { concurrentCollections: 4, serverVersion: '8.0.4', toolVersion: 'polymongo' };
  const chunks = writer.begin(header, DEFINITIONS);
  for (const [i, document] of documents.entries()) chunks.push(...writer.documents(DEFINITIONS[i % 2]!, document));
  for (const each of DEFINITIONS) chunks.push(...writer.endCollection(each));
  return Buffer.concat(chunks);
}

function exportOf(documents: readonly Uint8Array[], isPretty: boolean): Buffer {
  const writer = new ExportFileWriter(64);
  writer.begin('shop', new Date(0));
  for (const definition of DEFINITIONS) {
    writer.beginCollection(definition);
    if (definition.type !== 'view') for (const document of documents) writer.writeDocument(document);
    writer.endCollection(definition.indexes);
  }
  writer.end();
  const text = writer.take();
  return isPretty ? Buffer.from(JSON.stringify(JSON.parse(text.toString()), null, 2)) : text;
}

/** The file with one to three things wrong in it, by seed. */
export function damagedFile(seed: number, copies = 1): Buffer {
  const random = mulberry32(seed ^ 0x5eed);
  let file: Buffer = Buffer.from(goodFile(seed, copies));
  for (let times = 1 + Math.floor(random() * 3); times > 0; times--) file = damage(file, random);
  return file;
}

function damage(file: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * file.length);
  const to = Math.min(file.length, at + Math.floor(random() * 64));
  const length = LENGTHS[Math.floor(random() * LENGTHS.length)]!;
  switch (Math.floor(random() * 9)) {
    case 0:
      file[at] = Math.floor(random() * 256);
      return file;
    case 1:
      if (at + 4 <= file.length) file.writeInt32LE(length, at);
      return file;
    case 2:
      return withAnotherLength(file, length, random);
    case 3:
      return inBase64(file, (bson) => withAnotherLength(bson, length, random), random);
    case 4:
      return inBase64(file, (bson) => damage(bson, random), random);
    case 5:
      return file.subarray(0, at);
    case 6:
      return Buffer.concat([file.subarray(0, at), file.subarray(to)]);
    case 7:
      return Buffer.concat([file.subarray(0, to), file.subarray(at)]);
    default:
      return nested(file, at, random);
  }
}

/** Changes four bytes that look like a length. */
function withAnotherLength(bson: Buffer, length: number, random: () => number): Buffer {
  const places: number[] = [];
  for (let at = 0; at + 4 <= bson.length; at++) {
    const value = bson.readInt32LE(at);
    if (value > 0 && value <= bson.length) places.push(at);
  }
  const place = places[Math.floor(random() * places.length)];
  if (place !== undefined) bson.writeInt32LE(random() < 0.5 ? length : (bson.readInt32LE(place) + length) | 0, place);
  return bson;
}

/** Changes the BSON of an escape of ours. */
function inBase64(file: Buffer, change: (bson: Buffer) => Buffer, random: () => number): Buffer {
  const text = file.toString('latin1');
  const escapes = [...text.matchAll(/"\$polymongoBson": ?"([A-Za-z0-9+/=]+)"/g)];
  const escape = escapes[Math.floor(random() * escapes.length)];
  if (!escape) return file;
  const bson = Buffer.from(escape[1]!, 'base64');
  const changed = `"$polymongoBson":"${change(bson).toString('base64')}"`;
  return Buffer.from(text.slice(0, escape.index) + changed + text.slice(escape.index + escape[0].length), 'latin1');
}

/** Repeats an opening that many readers follow without counting. */
function nested(file: Buffer, at: number, random: () => number): Buffer {
  const openings = [
    '{"a":',
    '[',
    '{"$scope":',
    '{"$code":"","$scope":',
    '{"$dbPointer":',
    '{"$date":',
    '{"$numberLong":"1',
  ];
  const opening = openings[Math.floor(random() * openings.length)]!;
  const place = file.indexOf('{', at) + 1 || at;
  return Buffer.concat([
    file.subarray(0, place),
    Buffer.from(`"x":${opening.repeat(1 + Math.floor(random() * 20_000))}`),
    file.subarray(place),
  ]);
}
