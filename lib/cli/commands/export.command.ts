import { type Command, Option } from 'commander';
import type { CliIO } from '../cli.io.js';
import {
  requireCollections,
  selectionOf,
  type SelectionFlags,
  withForce,
  withReading,
  withSelection,
} from './bulk.options.js';
import { type ExportFlags, runExport } from './export.output.js';

interface Flags extends SelectionFlags, ExportFlags {
  readonly format: 'json' | 'archive';
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
      const code = await runExport(flags, io, async (wrapper, { line, gzip }) => {
        const options = { ...(await selectionOf(flags, io, line)), format: flags.format, gzip };
        await requireCollections(wrapper, name);
        return () => wrapper.bulkTasks.exportStream(name, options);
      });
      exit(code);
    });
