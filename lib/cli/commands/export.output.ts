import { pipeline } from 'node:stream/promises';
import type { BulkOptions, ExportStream } from '../../providers/bulk/bulk.types.js';
import type { PolyMongoWrapper } from '../../polymongo.wrapper.js';
import type { CliIO } from '../cli.io.js';
import { type GlobalOptions, uriOf, withWrapper } from '../cli.session.js';
import { OutputFile } from '../output.file.js';
import type { ProgressLine } from '../progress.line.js';
import { conclude, progressLine } from './bulk.options.js';

/** Flags of all commands that export. */
export interface ExportFlags extends GlobalOptions {
  readonly out?: string;
  readonly gzip?: boolean;
  readonly force?: boolean;
}

/** How far an export is shown, and how it is ended. */
export interface ExportRun extends Pick<BulkOptions, 'signal' | 'onProgress'> {
  readonly line: ProgressLine;
  readonly gzip: boolean;
}

/** Has an export written into its file, or to stdout, and shows what was done. @returns the exit code */
export async function runExport(
  flags: ExportFlags,
  io: CliIO,
  begin: (wrapper: PolyMongoWrapper, run: ExportRun) => Promise<() => ExportStream>,
): Promise<number> {
  const line = progressLine(io, flags);
  const { out, gzip = out?.endsWith('.gz') ?? false, force = false } = flags;
  return withWrapper(uriOf(flags, io), async (wrapper) => {
    const open = await begin(wrapper, { line, gzip, signal: io.signal, onProgress: line.show });
    const file = out === undefined ? undefined : await OutputFile.create(out, force);
    try {
      const stream = open();
      await pipeline(stream, file?.stream() ?? io.stdout, { end: file !== undefined });
      await file?.complete();
      line.clear();
      return conclude(await stream.summary, file ? io.stdout : io.stderr, flags);
    } catch (error) {
      await file?.discard(error);
      throw error;
    } finally {
      line.clear();
    }
  });
}
