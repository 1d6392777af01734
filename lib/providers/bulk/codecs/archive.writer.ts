import {
  ARCHIVE_MAGIC,
  type ArchiveHeader,
  dataCollectionOf,
  encodeHeader,
  encodeMetadata,
  encodeNamespaceHeader,
  TERMINATOR,
} from './archive.format.js';
import type { CollectionDefinition } from './collection.definition.js';
import { Crc64 } from './crc64.js';

/**
 * Writes mongodump's archive format. Documents pass through as they are, they are neither decoded nor copied: every
 * method gives the chunks that come next in the file. Batches of several collections may be interleaved.
 */
export class ArchiveWriter {
  private readonly checksums = new Map<string, Crc64>();
  private open: string | undefined;

  constructor(private readonly database: string) {}

  /** The prelude, which names every collection that will follow. */
  begin(header: ArchiveHeader, collections: readonly CollectionDefinition[]): Uint8Array[] {
    const metadata = collections.map((definition) => encodeMetadata(this.database, definition));
    return [ARCHIVE_MAGIC, encodeHeader(header), ...metadata, TERMINATOR];
  }

  /** @param documents BSON documents, one after the other; must not be changed until it is written out */
  documents(collection: Pick<CollectionDefinition, 'name' | 'type'>, documents: Uint8Array): Uint8Array[] {
    const name = dataCollectionOf(collection);
    this.checksumOf(name).update(documents);
    if (this.open === name) return [documents];
    const header = encodeNamespaceHeader({ database: this.database, collection: name, isEnd: false, crc: 0n });
    const before = this.open === undefined ? [] : [TERMINATOR];
    this.open = name;
    return [...before, header, documents];
  }

  /** Every collection of the prelude has to be ended, an empty one and a view too. */
  endCollection(collection: Pick<CollectionDefinition, 'name' | 'type'>): Uint8Array[] {
    const name = dataCollectionOf(collection);
    const crc = this.checksumOf(name).value;
    const before = this.open === undefined ? [] : [TERMINATOR];
    this.open = undefined;
    const header = encodeNamespaceHeader({ database: this.database, collection: name, isEnd: true, crc });
    return [...before, header, TERMINATOR];
  }

  private checksumOf(name: string): Crc64 {
    let checksum = this.checksums.get(name);
    if (!checksum) this.checksums.set(name, (checksum = new Crc64()));
    return checksum;
  }
}
