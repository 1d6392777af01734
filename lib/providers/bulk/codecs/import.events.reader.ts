import { ARCHIVE_MAGIC } from './archive.format.js';
import { ArchiveReader } from './archive.reader.js';
import { ExportFileReader, type ExportFileReaderOptions } from './export-file.reader.js';
import { joinChunks } from './chunk.joiner.js';
import { concat, peek, unpack } from './gzip.stream.js';
import type { ImportEvent } from './import.events.js';
import { LoopTurn } from './loop.turn.js';

export interface ReadImportOptions extends ExportFileReaderOptions {
  /** `json` or `archive` refuse the other one; by default the first bytes tell. */
  readonly format?: 'json' | 'archive';
  /** Smaller chunks of the source are read together. Default 64 KiB. */
  readonly minChunkBytes?: number;
  /** Told how many bytes a chunk of the source has, before it is unpacked. */
  readonly onRead?: (bytes: number) => void;
  /** Ends the reading, also of a file in which nothing comes to its end. */
  readonly signal?: AbortSignal | undefined;
}

const MIN_CHUNK_BYTES = 64 * 1024;
/** What is read before others have their turn. */
const MAX_CHUNK_BYTES = 1024 * 1024;

/**
 * Reads an export file or an archive, gzipped or not, which its first bytes tell. The source is read no faster than
 * the events are taken.
 * @throws BulkFormatError; the signal's reason
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
  const turn = new LoopTurn();
  for await (const chunk of concat(head, rest)) {
    for (let at = 0; at < chunk.length; at += MAX_CHUNK_BYTES) {
      for (const event of reader.push(chunk.subarray(at, at + MAX_CHUNK_BYTES))) {
        yield event;
        if (turn.isDue) await turn.take();
      }
      if (turn.isDue) await turn.take();
      options.signal?.throwIfAborted();
    }
  }
  yield* reader.finish();
}
