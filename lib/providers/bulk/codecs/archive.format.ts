import mongoose from 'mongoose';
import {
  arrayOf,
  type BsonElement,
  documentOf,
  documentsIn,
  elementNamed,
  int32Of,
  stringElement,
  stringOf,
} from './bson-elements.js';
import { BsonType, MIN_DOCUMENT_BYTES } from './bson-types.js';
import { parseCanonicalJson } from './canonical-json.reader.js';
import { canonicalJsonOf } from './canonical-json.writer.js';
import type { CollectionDefinition } from './collection.definition.js';

/** The driver's own; the package `bson` beside it would take 17 MB more. */
const bson = mongoose.mongo.BSON;

/*
 * mongodump's archive format, version 0.1 (mongo-tools, common/archive/spec.md):
 *
 *   magic number, header, collection metadata …, terminator,
 *   then blocks: namespace header, documents …, terminator,
 *   and for each namespace at its end: namespace header with EOF and the CRC-64 of its documents, terminator.
 *
 * Header, metadata and namespace headers are BSON documents. Blocks of several namespaces may be interleaved.
 */

/** The first four bytes of an archive: 0x8199e26d, little-endian. */
export const ARCHIVE_MAGIC = Buffer.from([0x6d, 0xe2, 0x99, 0x81]);
export const TERMINATOR = Buffer.from([0xff, 0xff, 0xff, 0xff]);
const FORMAT_VERSION = '0.1';
/** Where a time series collection keeps its data, on servers older than 8.3 and in their archives. */
const BUCKETS_PREFIX = 'system.buckets.';

export interface ArchiveHeader {
  /** Collections that were read at a time. */
  readonly concurrentCollections: number;
  /** Of the server the data comes from, such as `8.0.4`. */
  readonly serverVersion: string;
  /** Of the tool that wrote the archive. */
  readonly toolVersion: string;
}

export interface NamespaceHeader {
  readonly database: string;
  readonly collection: string;
  readonly isEnd: boolean;
  /** Unsigned; 0 unless it is the end. */
  readonly crc: bigint;
}

export const encodeHeader = ({ concurrentCollections, serverVersion, toolVersion }: ArchiveHeader): Uint8Array =>
  bson.serialize({
    concurrent_collections: new bson.Int32(concurrentCollections),
    version: FORMAT_VERSION,
    server_version: serverVersion,
    tool_version: toolVersion,
  });

export const decodeHeader = (bytes: Uint8Array): ArchiveHeader => ({
  concurrentCollections: int32Of(elementNamed(bytes, 'concurrent_collections')) ?? 1,
  serverVersion: stringOf(elementNamed(bytes, 'server_version')) ?? '',
  toolVersion: stringOf(elementNamed(bytes, 'tool_version')) ?? '',
});

export const encodeNamespaceHeader = ({ database, collection, isEnd, crc }: NamespaceHeader): Uint8Array =>
  bson.serialize({ db: database, collection, EOF: isEnd, CRC: bson.Long.fromBigInt(BigInt.asIntN(64, crc)) });

/** undefined where the document is no namespace header. */
export function decodeNamespaceHeader(bytes: Uint8Array): NamespaceHeader | undefined {
  const [database, collection] = [stringOf(elementNamed(bytes, 'db')), stringOf(elementNamed(bytes, 'collection'))];
  const [end, crc] = [elementNamed(bytes, 'EOF'), elementNamed(bytes, 'CRC')];
  if (database === undefined || !collection || end?.type !== BsonType.Boolean) return undefined;
  return {
    database,
    collection,
    isEnd: end.value[0] === 1,
    crc: crc?.type === BsonType.Int64 ? crc.value.readBigUInt64LE() : 0n,
  };
}

/** The collection in which an archive keeps the documents of a collection. */
export const dataCollectionOf = ({ name, type }: Pick<CollectionDefinition, 'name' | 'type'>): string =>
  type === 'timeseries' ? BUCKETS_PREFIX + name : name;

/** A collection's entry in the prelude; `metadata` is what mongodump writes into `.metadata.json` files. */
export function encodeMetadata(database: string, definition: CollectionDefinition): Uint8Array {
  const { name, type, options, indexes, uuid } = definition;
  const fields: BsonElement[] = [];
  if (options.length > MIN_DOCUMENT_BYTES) {
    fields.push({ name: 'options', type: BsonType.Document, value: Buffer.from(options) });
  }
  fields.push({ name: 'indexes', type: BsonType.Array, value: arrayOf(indexes) });
  if (uuid !== undefined) fields.push(stringElement('uuid', uuid));
  fields.push(stringElement('collectionName', name), stringElement('type', type));

  const metadata = canonicalJsonOf(documentOf(fields), { escapeReserved: false });
  return bson.serialize({ db: database, collection: name, metadata, size: new bson.Int32(0), type });
}

export function decodeMetadata(bytes: Uint8Array): CollectionDefinition & { readonly database: string } {
  const [database, name] = [stringOf(elementNamed(bytes, 'db')), stringOf(elementNamed(bytes, 'collection'))];
  if (database === undefined || name === undefined) throw new Error('it names no database and collection');
  const text = stringOf(elementNamed(bytes, 'metadata'));
  const metadata = text ? parseCanonicalJson(text) : documentOf([]);
  const options = elementNamed(metadata, 'options');
  const uuid = stringOf(elementNamed(metadata, 'uuid'));
  return {
    database,
    name,
    type: stringOf(elementNamed(bytes, 'type')) || stringOf(elementNamed(metadata, 'type')) || 'collection',
    options: options?.type === BsonType.Document ? options.value : documentOf([]),
    indexes: documentsIn(elementNamed(metadata, 'indexes')),
    ...(uuid !== undefined && { uuid }),
  };
}
