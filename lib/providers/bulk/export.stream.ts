import type { Database } from '../databases/database.js';
import { inBackground } from '../pools/background.work.js';
import type { BulkReport } from './bulk.report.js';
import type { BulkReadOptions, BulkSummary, ExportStream } from './bulk.types.js';
import { pack } from './codecs/gzip.stream.js';
import { RawSource } from './raw/raw-source.js';

interface Export {
  readonly database: Database;
  readonly options: BulkReadOptions & { readonly gzip?: boolean };
  readonly report: BulkReport;
  /** The bytes of the file, not gzipped. */
  readonly chunks: (reader: RawSource) => AsyncGenerator<Uint8Array, void>;
}

/** An export that runs as fast as it is read, with its pool kept open meanwhile. */
export function exportStreamOf(work: Export): ExportStream {
  const { options, report } = work;
  let finish!: (summary: BulkSummary) => void;
  let fail!: (error: unknown) => void;
  const summary = new Promise<BulkSummary>((resolve, reject) => ([finish, fail] = [resolve, reject]));
  summary.catch(() => undefined); // the stream has the error too
  const stream = pack(chunksOf(work, finish, fail), options.gzip ?? false);
  const { signal } = options;
  // While nobody reads, nothing else would notice it.
  const stop = () => void stream.destroy(report.error(signal!.reason));
  signal?.addEventListener('abort', stop, { once: true });
  stream.once('close', () => signal?.removeEventListener('abort', stop));
  return Object.assign(stream, { summary });
}

async function* chunksOf(
  { database, options, report, chunks: begin }: Export,
  finish: (summary: BulkSummary) => void,
  fail: (error: unknown) => void,
): AsyncGenerator<Uint8Array, void> {
  const lease = await database.enter('long').catch((error: unknown) => {
    const wrapped = report.error(error);
    fail(wrapped);
    throw wrapped;
  });
  const reader = new RawSource(database, options);
  const chunks = begin(reader);
  try {
    await inBackground(() => lease.during(() => reader.open()));
    for (;;) {
      const next = await inBackground(() => lease.during(() => chunks.next()));
      if (next.done) break;
      yield next.value;
    }
    report.meter.done();
    finish(report.summary);
  } catch (error) {
    const wrapped = report.error(error);
    fail(wrapped);
    throw wrapped;
  } finally {
    await chunks.return();
    await reader.close();
    lease.release();
    fail(report.error(options.signal?.reason ?? new Error('the stream was destroyed before its end')));
  }
}
