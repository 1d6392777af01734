import { ARCHIVE_MAGIC } from './archive.format.js';
import { ArchiveReader } from './archive.reader.js';
import { ExportFileReader, type ExportFileReaderOptions } from './export-file.reader.js';
import { joinChunks } from './chunk.joiner.js';
import { concat, peek, unpack } from './gzip.stream.js';
import type { ImportEvent } from './import.events.js';

export interface ReadImportOptions extends ExportFileReaderOptions {
  /** `json` or `archive` refuse the other one; by default the first bytes tell. */
  readonly format?: 'json' | 'archive';
  /** Smaller chunks of the source are read together. Default 64 KiB. */
  readonly minChunkBytes?: number;
  /** Told how many bytes a chunk of the source has, before it is unpacked. */
  readonly onRead?: (bytes: number) => void;
}

const MIN_CHUNK_BYTES = 64 * 1024;

/**
 * Reads an export file or an archive, gzipped or not, which its first bytes tell. The source is read no faster than
 * the events are taken.
 * @throws BulkFormatError
 */
export async function* readImportEvents(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: ReadImportOptions = {},
): AsyncGenerator<ImportEvent, void> {
  const joined = joinChunks(source, options.minChunkBytes ?? MIN_CHUNK_BYTES, options.onRead);
  const { head, rest } = await peek(unpack(joined), ARCHIVE_MAGIC.length);
  const isArchive = head.subarray(0, ARCHIVE_MAGIC.length).equals(ARCHIVE_MAGIC);
  const format = options.format ?? (isArchive ? 'archive' : 'json');
  const reader = format === 'archive' ? new ArchiveReader(options) : new ExportFileReader(options);
  for await (const chunk of concat(head, rest)) yield* reader.push(chunk);
  yield* reader.finish();
}
