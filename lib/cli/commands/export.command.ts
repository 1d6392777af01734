import { pipeline } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import type { CliIO } from '../cli.io.js';
import { uriOf, withWrapper } from '../cli.session.js';
import { OutputFile } from '../output.file.js';
import {
  conclude,
  progressLine,
  requireCollections,
  selectionOf,
  type SelectionFlags,
  withForce,
  withReading,
  withSelection,
} from './bulk.options.js';

interface Flags extends SelectionFlags {
  readonly out?: string;
  readonly format: 'json' | 'archive';
  readonly gzip?: boolean;
  readonly force?: boolean;
}

const EXAMPLES = `
Examples:
  polymongo export shop --out shop.json
  polymongo export shop --out shop.archive.gz --format archive
  polymongo export shop --include orders --query '{"orders":{"paid":true}}' | gzip > paid.json.gz

A file appears under its name when it is complete; until then it is NAME.part. One that is there stays, without --force.`;

/** `polymongo export`: a database into a file or to stdout. */
export const exportCommand = (program: Command, io: CliIO, exit: (code: number) => void): Command =>
  withForce(withReading(withSelection(program.command('export').argument('<db>', 'the database'))))
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
      const { out, format, gzip = out?.endsWith('.gz') ?? false, force = false } = flags;
      await withWrapper(uriOf(flags, io), async (wrapper) => {
        const options = { ...(await selectionOf(flags, io, line)), format, gzip };
        await requireCollections(wrapper, name);
        const file = out === undefined ? undefined : await OutputFile.create(out, force);
        try {
          const stream = wrapper.bulkTasks.exportStream(name, options);
          await pipeline(stream, file?.stream() ?? io.stdout, { end: file !== undefined });
          await file?.complete();
          line.clear();
          exit(conclude(await stream.summary, file ? io.stdout : io.stderr, flags));
        } catch (error) {
          await file?.discard(error);
          throw error;
        } finally {
          line.clear();
        }
      });
    });
