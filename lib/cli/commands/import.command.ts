import type { Command } from 'commander';
import type { CliIO } from '../cli.io.js';
import { selectionOf, type SelectionFlags, withSelection } from './bulk.options.js';
import { type ImportFlags, runImport, withImporting } from './import.input.js';

interface Flags extends SelectionFlags, ImportFlags {
  readonly sourceDb?: string;
}

const EXAMPLES = `
Examples:
  polymongo import shop shop.json
  gunzip -c shop.json.gz | polymongo import shop
  polymongo import shop dump.archive.gz --on-error skip --rejects rejects.jsonl
  polymongo import shop shop.json --drop        in the place of the collections that are there
  polymongo import shop shop.json --resume      after an import that did not finish

Export files of any layout and archives of mongodump are recognised, gzipped or not. Files of mongoexport, of one
collection, are for import-collection.`;

/** `polymongo import`: a file or stdin into a database. */
export const importCommand = (program: Command, io: CliIO, exit: (code: number) => void): Command =>
  withImporting(
    withSelection(
      program.command('import').argument('<db>', 'the database').argument('[file]', 'the file (default: stdin)'),
    ),
  )
    .description('import an export file or an archive of mongodump')
    .option('--source-db <name>', 'which database of an archive of several')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, file: string | undefined, _: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      const code = await runImport(file, flags, io, async ({ bulkTasks }, { source, options, line }) =>
        bulkTasks.importStream(name, source, {
          ...(await selectionOf(flags, io, line)),
          ...options,
          ...(flags.sourceDb !== undefined && { sourceDatabase: flags.sourceDb }),
        }),
      );
      exit(code);
    });
