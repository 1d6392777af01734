import { ARCHIVE_MAGIC } from './archive.format.js';
import { ArchiveReader } from './archive.reader.js';
import { ExportFileReader } from './export-file.reader.js';
import { joinChunks } from './chunk.joiner.js';
import { concat, peek, unpack } from './gzip.stream.js';
import type { ImportEvent } from './import.events.js';
import { LoopTurn } from './loop.turn.js';
import type { ReaderOptions } from './stepwise.reader.js';

export interface ReadImportOptions extends ReaderOptions {
  /** Smaller chunks of the source are read together. Default 64 KiB. */
  readonly minChunkBytes?: number;
  /** Told how many bytes a chunk of the source has, before it is unpacked. */
  readonly onRead?: (bytes: number) => void;
  /** Ends the reading, also of a file in which nothing comes to its end. */
  readonly signal?: AbortSignal | undefined;
}

/** How an export file or an archive is read. */
export interface ReadFileOptions extends ReadImportOptions {
  /** `json` or `archive` refuse the other one; by default the first bytes tell. */
  readonly format?: 'json' | 'archive';
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
  options: ReadFileOptions = {},
): AsyncGenerator<ImportEvent, void> {
  const { head, rest } = await peek(bytesOf(source, options), ARCHIVE_MAGIC.length);
  const isArchive = head.subarray(0, ARCHIVE_MAGIC.length).equals(ARCHIVE_MAGIC);
  const format = options.format ?? (isArchive ? 'archive' : 'json');
  const reader = format === 'archive' ? new ArchiveReader(options) : new ExportFileReader(options);
  yield* eventsOf(reader, concat(head, rest), options.signal);
}

/** The bytes of a file, unpacked, small chunks joined. */
export const bytesOf = (
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { minChunkBytes = MIN_CHUNK_BYTES, onRead }: ReadImportOptions,
): AsyncIterable<Uint8Array> => unpack(joinChunks(source, minChunkBytes, onRead));

interface EventReader {
  push(chunk: Uint8Array): Iterable<ImportEvent>;
  finish(): Iterable<ImportEvent>;
}

/** What a reader makes of chunks, taken no faster than the events are. Others have their turn in between. */
export async function* eventsOf(
  reader: EventReader,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<ImportEvent, void> {
  const turn = new LoopTurn();
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += MAX_CHUNK_BYTES) {
      for (const event of reader.push(chunk.subarray(at, at + MAX_CHUNK_BYTES))) {
        yield event;
        if (turn.isDue) await turn.take();
      }
      if (turn.isDue) await turn.take();
      signal?.throwIfAborted();
    }
  }
  yield* reader.finish();
}
