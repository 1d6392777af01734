import { fstatSync, type Stats, type WriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import { type CliIO, ExitCode, UsageError } from '../cli.io.js';
import { uriOf, withWrapper } from '../cli.session.js';
import { openOutput } from '../output.file.js';
import { conclude, progressLine, selectionOf, type SelectionFlags, withForce, withSelection } from './bulk.options.js';

interface Flags extends SelectionFlags {
  readonly onError: 'stop' | 'skip';
  readonly rejects?: string;
  readonly dryRun?: boolean;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly sourceDb?: string;
}

const EXAMPLES = `
Examples:
  polymongo import shop shop.json
  gunzip -c shop.json.gz | polymongo import shop
  polymongo import shop dump.archive.gz --on-error skip --rejects rejects.jsonl
  polymongo import shop shop.json --resume      after an import that did not finish

Export files of any layout and archives of mongodump are recognised, gzipped or not.`;

/** `polymongo import`: a file or stdin into a database. */
export const importCommand = (program: Command, io: CliIO, exit: (code: number) => void): Command =>
  withForce(
    withSelection(
      program.command('import').argument('<db>', 'the database').argument('[file]', 'the file (default: stdin)'),
    ),
  )
    .description('import an export file or an archive of mongodump')
    .addOption(
      new Option('--on-error <what>', 'after a document that is refused').choices(['stop', 'skip']).default('stop'),
    )
    .option('--rejects <file>', 'write skipped documents there, one JSON a line')
    .option('--dry-run', 'read and check the file, write nothing')
    .option('--resume', 'go on with an import of the same file: leave out what is there')
    .option('--source-db <name>', 'which database of an archive of several')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, file: string | undefined, _: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      const line = progressLine(io, flags);
      if (file === '') throw new UsageError('The name of the file to import is empty. Leave it out to read stdin.');
      // Opened before anything is done: a name that is wrong is told at once.
      const input = file === undefined ? undefined : await open(file);
      let source = io.stdin;
      /** A file is read twice where that is needed; a pipe that has a name cannot be. */
      const opened = (start?: number) =>
        (source = input!.createReadStream({ autoClose: false, ...(start !== undefined && { start }) }));
      let rejects: WriteStream | undefined;
      try {
        const read = input ? await input.stat() : statOf(io.stdin);
        const totalBytes = input && read!.size;
        if (flags.rejects !== undefined) rejects = await openOutput(flags.rejects, flags.force ?? false, read);
        const summary = await withWrapper(uriOf(flags, io), async ({ bulkTasks }) =>
          bulkTasks.importStream(name, !input ? source : read!.isFile() ? () => opened(0) : opened(), {
            ...(await selectionOf(flags, io, line)),
            onError: flags.onError,
            ...(rejects && { rejects }),
            ...(flags.dryRun && { dryRun: true }),
            ...(flags.resume && { resumeFrom: 'start' as const }),
            ...(flags.sourceDb !== undefined && { sourceDatabase: flags.sourceDb }),
            ...(totalBytes !== undefined && { totalBytes }),
          }),
        );
        line.clear();
        if (rejects) await finished(rejects.end());
        const code = conclude(summary, io.stdout, flags);
        exit(rejects?.bytesWritten ? ExitCode.Incomplete : code);
      } finally {
        line.clear();
        source.destroy();
        await input?.close();
        rejects?.destroy();
      }
    });

/** Of a file that the shell has opened; undefined for a stream of another kind. */
function statOf(stream: Readable): Stats | undefined {
  const { fd } = stream as { readonly fd?: unknown };
  return typeof fd === 'number' ? fstatSync(fd) : undefined;
}
