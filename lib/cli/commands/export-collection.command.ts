import { type Command, Option } from 'commander';
import type { ExportCollectionOptions } from '../../providers/bulk/collection-file.types.js';
import { type CliIO, UsageError } from '../cli.io.js';
import { isCsv, listOf, parseExtendedJson, requireCollections, withForce } from './bulk.options.js';
import { type ExportFlags, runExport } from './export.output.js';

interface Flags extends ExportFlags {
  readonly format?: 'jsonl' | 'json' | 'csv';
  readonly jsonFormat?: 'canonical' | 'relaxed';
  readonly fields?: readonly string[];
  readonly query?: string;
  readonly snapshot?: boolean;
}

const EXAMPLES = `
Examples:
  polymongo export-collection shop orders --out orders.jsonl
  polymongo export-collection shop orders --out orders.csv --fields number,customer.name
  polymongo export-collection shop orders --query '{"paid":true}' --json-format relaxed | gzip > paid.jsonl.gz

What mongoimport and import-collection read. The collection's options and indexes are not in it: they are in what export
writes.`;

/** `polymongo export-collection`: a collection into a file of mongoexport, or to stdout. */
export const exportCollectionCommand = (program: Command, io: CliIO, exit: (code: number) => void): Command =>
  withForce(
    program.command('export-collection').argument('<db>', 'the database').argument('<collection>', 'the collection'),
  )
    .description('export a collection as JSON Lines, a JSON array or CSV')
    .option('-o, --out <file>', 'the file (default: stdout)')
    .addOption(
      new Option('-f, --format <format>', 'default: csv where the file ends in .csv, else jsonl').choices([
        'jsonl',
        'json',
        'csv',
      ]),
    )
    .addOption(
      new Option('--json-format <form>', 'of Extended JSON: canonical loses nothing').choices(['canonical', 'relaxed']),
    )
    .option('--fields <names>', 'the columns of CSV, as in a,b.c', listOf)
    .option('-q, --query <json>', 'Extended JSON: { filter }, only matching documents')
    .option('--snapshot', 'read everything as it is at one moment (replica sets)')
    .option('-z, --gzip', 'gzip it (default: if the file ends in .gz)')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, collection: string, _: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      const options = await optionsOf(flags);
      const code = await runExport(flags, io, async (wrapper, { gzip, signal, onProgress }) => {
        await requireCollections(wrapper, name, collection);
        const following = { gzip, ...(signal && { signal }), ...(onProgress && { onProgress }) };
        return () => wrapper.bulkTasks.exportCollection(name, collection, { ...options, ...following });
      });
      exit(code);
    });

/** @throws UsageError */
async function optionsOf(flags: Flags): Promise<ExportCollectionOptions> {
  const { out, jsonFormat, fields, query, snapshot } = flags;
  const format = flags.format ?? (isCsv(out) ? 'csv' : 'jsonl');
  if (format === 'csv' && !fields) throw new UsageError('CSV needs --fields: they are its columns, in their order.');
  if (format !== 'csv' && fields) throw new UsageError('--fields is of CSV: use --format csv, or leave it out.');
  if (format === 'csv' && jsonFormat) throw new UsageError('--json-format is of JSON: leave it out for CSV.');
  return {
    format,
    ...(jsonFormat && { jsonFormat }),
    ...(fields && { fields }),
    ...(query !== undefined && { query: await parseExtendedJson('--query', query) }),
    ...(snapshot && { snapshot }),
  };
}
