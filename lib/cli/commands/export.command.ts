import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import type { CliIO } from '../cli.io.js';
import { uriOf, withWrapper } from '../cli.session.js';
import { writeLine } from '../output.js';
import {
  conclude,
  progressLine,
  selectionOf,
  type SelectionFlags,
  withReading,
  withSelection,
} from './bulk.options.js';

interface Flags extends SelectionFlags {
  readonly out?: string;
  readonly format: 'json' | 'archive';
  readonly gzip?: boolean;
}

const EXAMPLES = `
Examples:
  polymongo export shop --out shop.json
  polymongo export shop --out shop.archive.gz --format archive
  polymongo export shop --include orders --query '{"orders":{"paid":true}}' | gzip > paid.json.gz

A file appears under its name when it is complete; until then it is NAME.part.`;

/** `polymongo export`: a database into a file or to stdout. */
export const exportCommand = (program: Command, io: CliIO, exit: (code: number) => void): Command =>
  withReading(withSelection(program.command('export').argument('<db>', 'the database')))
    .description('export a database, losslessly')
    .option('-o, --out <file>', 'the file (default: stdout)')
    .addOption(
      new Option('-f, --format <format>', 'json, or the format of mongodump --archive')
        .choices(['json', 'archive'])
        .default('json'),
    )
    .option('-z, --gzip', 'gzip it (default: if the file ends in .gz)')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, _: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      const line = progressLine(io, flags);
      const { out, format, gzip = out?.endsWith('.gz') ?? false } = flags;
      await withWrapper(uriOf(flags, io), async ({ bulkTasks }) => {
        const file = out === undefined ? undefined : await open(`${out}.part`, 'w');
        const stream = bulkTasks.exportStream(name, { ...selectionOf(flags, io, line), format, gzip });
        try {
          if (file) await intoFile(stream, file, out!);
          else await pipeline(stream, io.stdout, { end: false });
        } finally {
          line.clear();
        }
        const summary = await stream.summary;
        if (summary.collections.length === 0) writeLine(io.stderr, `${name} has no collections: is that its name?`);
        exit(conclude(summary, out === undefined ? io.stderr : io.stdout, flags));
      });
    });

async function intoFile(stream: NodeJS.ReadableStream, file: FileHandle, name: string): Promise<void> {
  const part = `${name}.part`;
  try {
    await pipeline(stream, file.createWriteStream());
    await rename(part, name);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
