import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import type { ImportCollectionOptions } from '../../providers/bulk/collection-file.types.js';
import { type CliIO, UsageError } from '../cli.io.js';
import { isCsv, listOf } from './bulk.options.js';
import { type ImportFlags, runImport, withImporting } from './import.input.js';

interface Flags extends ImportFlags {
  readonly format?: 'jsonl' | 'json' | 'csv';
  readonly pick?: string;
  readonly upsertFields?: readonly string[];
}

const EXAMPLES = `
Examples:
  polymongo import-collection shop orders orders.jsonl
  polymongo import-collection shop orders orders.csv --upsert-fields number
  polymongo import-collection shop orders answer.json --pick data.items
  curl https://example.com/orders.csv | polymongo import-collection shop orders --format csv

Extended JSON, one document after the other or in an array, or CSV whose first row has the names; gzipped or not.`;

/** `polymongo import-collection`: a file of mongoexport, or of anybody, into a collection. */
export const importCollectionCommand = (program: Command, io: CliIO, exit: (code: number) => void): Command =>
  withImporting(
    program
      .command('import-collection')
      .argument('<db>', 'the database')
      .argument('<collection>', 'the collection')
      .argument('[file]', 'the file (default: stdin)'),
  )
    .description('import JSON Lines, a JSON array or CSV into a collection')
    .addOption(
      new Option(
        '-f, --format <format>',
        'default: csv where the file ends in .csv, else what its first character tells',
      ).choices(['jsonl', 'json', 'csv']),
    )
    .option('--pick <path>', 'where in a JSON file the array is, as in data.items')
    .option('--upsert-fields <names>', 'take the place of documents with the same values, as in a,b.c', listOf)
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, collection: string, file: string | undefined, _: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      const { pick, upsertFields } = flags;
      const format = flags.format ?? (isCsv(file) ? 'csv' : undefined);
      if (pick !== undefined && (format ?? 'json') !== 'json')
        throw new UsageError(`--pick is of JSON, not of ${format}: leave it out, or use --format json.`);
      const kind: ImportCollectionOptions = {
        ...(format && { format }),
        ...(pick !== undefined && { pick }),
        ...(upsertFields && { upsertFields }),
        ...(file !== undefined && { fileName: basename(file) }),
      };
      const code = await runImport(file, flags, io, ({ bulkTasks }, { source, options, line }) =>
        bulkTasks.importCollection(name, collection, source, {
          ...options,
          ...kind,
          signal: io.signal,
          onProgress: line.show,
        }),
      );
      exit(code);
    });
