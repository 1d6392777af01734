import { fstatSync, type Stats, type WriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import type { AnyImportOptions, BulkSummary } from '../../providers/bulk/bulk.types.js';
import type { PolyMongoWrapper } from '../../polymongo.wrapper.js';
import { FailureWithRemedy } from '../cli.failure.js';
import { type CliIO, ExitCode, UsageError } from '../cli.io.js';
import { type GlobalOptions, uriOf, withWrapper } from '../cli.session.js';
import { openOutput } from '../output.file.js';
import type { ProgressLine } from '../progress.line.js';
import { conclude, progressLine, withForce } from './bulk.options.js';

/** Flags of all commands that import. */
export interface ImportFlags extends GlobalOptions {
  readonly onError: 'stop' | 'skip';
  readonly rejects?: string;
  readonly dryRun?: boolean;
  readonly resume?: boolean;
  readonly drop?: boolean;
  readonly force?: boolean;
}

export const withImporting = (command: Command): Command =>
  withForce(command)
    .addOption(
      new Option('--on-error <what>', 'after a document that is refused').choices(['stop', 'skip']).default('stop'),
    )
    .option('--rejects <file>', 'write skipped documents there, one JSON a line')
    .option('--dry-run', 'read and check the file, write nothing')
    .option('--drop', 'drop each collection of the file before it is written')
    .addOption(
      new Option('--resume', 'go on with an import of the same file: leave out what is there').conflicts('drop'),
    );

/** What an import is given, and a line that shows how far it is. */
export interface ImportInput {
  readonly source: Readable | (() => Readable);
  readonly options: AnyImportOptions;
  readonly line: ProgressLine;
}

/** Opens what is to be imported and what takes the rejects, runs the import, and shows what it did. @returns the exit code */
export async function runImport(
  file: string | undefined,
  flags: ImportFlags,
  io: CliIO,
  work: (wrapper: PolyMongoWrapper, input: ImportInput) => Promise<BulkSummary>,
): Promise<number> {
  const line = progressLine(io, flags);
  if (file === '') throw new UsageError('The name of the file to import is empty. Leave it out to read stdin.');
  const uri = uriOf(flags, io);
  // Opened before anything is done: a name that is wrong is told at once.
  const input = file === undefined ? undefined : await open(file);
  let source = io.stdin;
  /** A file is read twice where that is needed; a pipe that has a name cannot be. */
  const opened = (start?: number) =>
    (source = input!.createReadStream({ autoClose: false, ...(start !== undefined && { start }) }));
  let rejects: WriteStream | undefined;
  try {
    const read = input ? await input.stat() : statOf(io.stdin);
    if (flags.rejects !== undefined) rejects = await openOutput(flags.rejects, flags.force ?? false, read);
    const options: AnyImportOptions = {
      onError: flags.onError,
      ...(rejects && { rejects }),
      ...(flags.dryRun && { dryRun: true }),
      ...(flags.drop && { drop: true }),
      ...(flags.resume && { resumeFrom: 'start' as const }),
      ...(input && { totalBytes: read!.size }),
    };
    const given = !input ? source : read!.isFile() ? () => opened(0) : opened();
    const run = withWrapper(uri, (wrapper) => work(wrapper, { source: given, options, line }));
    const summary = await run.catch((error: unknown) => {
      throw isThereAlready(error) ? new FailureWithRemedy(error, REMEDY) : error;
    });
    line.clear();
    if (rejects) await finished(rejects.end());
    const code = conclude(summary, io.stdout, flags);
    return rejects?.bytesWritten ? ExitCode.Incomplete : code;
  } finally {
    line.clear();
    source.destroy();
    await input?.close();
    rejects?.destroy();
  }
}

const DUPLICATE_KEY = 11000;
const REMEDY =
  'If it is there from an import of this file: --resume goes on with that one, --drop begins anew, --on-error skip passes over what is there.';

const isThereAlready = (error: unknown): boolean =>
  (((error as Error).cause ?? {}) as { code?: unknown }).code === DUPLICATE_KEY;

/** Of a file that the shell has opened; undefined for a stream of another kind. */
function statOf(stream: Readable): Stats | undefined {
  const { fd } = stream as { readonly fd?: unknown };
  return typeof fd === 'number' ? fstatSync(fd) : undefined;
}
