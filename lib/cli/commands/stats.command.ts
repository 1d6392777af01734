import type { Command } from 'commander';
import type { CliIO } from '../cli.io.js';
import { type GlobalOptions, uriOf, withWrapper } from '../cli.session.js';
import { writeJSON, writeLine, writeTable } from '../output.js';
import { plural } from '../plural.js';
import { formatMegabytes } from '../progress.line.js';

/** `polymongo stats [db]`: sizes and counts, of one database or of all. */
export const statsCommand = (program: Command, io: CliIO): Command =>
  program
    .command('stats')
    .argument('[db]', 'a database (default: all)')
    .description('show what a database holds')
    .addHelpText('after', '\nExamples:\n  polymongo stats shop\n  polymongo stats --json')
    .action(async (name: string | undefined, _: object, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      await withWrapper(uriOf(options, io), async ({ stats, pools }) => {
        if (name === undefined) {
          const databases = await stats.listDatabases();
          if (options.json) writeJSON(io.stdout, databases);
          else
            writeTable(
              io.stdout,
              ['DATABASE', 'SIZE ON DISK'],
              databases.map((db) => [db.dbName, formatMegabytes(db.sizeInMB)]),
            );
          return;
        }
        const { collections, sizeMb } = await stats.db(name);
        const views = await pools.run(name, ({ db }) =>
          db!.listCollections({ type: 'view' }, { nameOnly: true }).toArray(),
        );
        const [numCollections, names] = [collections.length, views.map((view) => view.name).sort()];
        if (options.json) return writeJSON(io.stdout, { name, sizeMb, numCollections, collections, views: names });
        writeTable(
          io.stdout,
          ['COLLECTION', 'DOCUMENTS', 'SIZE'],
          [
            ...collections.map((each) => [each.name, each.docCount, formatMegabytes(each.sizeMb)]),
            ...names.map((view) => [view, 'view', '']),
          ],
        );
        const kinds = [
          plural(numCollections, 'collection'),
          ...(names.length > 0 ? [plural(names.length, 'view')] : []),
        ];
        writeLine(io.stdout, `${kinds.join(', ')}, ${formatMegabytes(sizeMb)}`);
      });
    });
