import type { Command } from 'commander';
import type { CliIO } from '../cli.io.js';
import { type GlobalOptions, uriOf, withWrapper } from '../cli.session.js';
import { writeJSON, writeLine, writeTable } from '../output.js';

/** `polymongo stats [db]`: sizes and counts, of one database or of all. */
export const statsCommand = (program: Command, io: CliIO): Command =>
  program
    .command('stats')
    .argument('[db]', 'a database (default: all)')
    .description('show what a database holds')
    .addHelpText('after', '\nExamples:\n  polymongo stats shop\n  polymongo stats --json')
    .action(async (name: string | undefined, _: object, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      await withWrapper(uriOf(options, io), async ({ stats }) => {
        if (name === undefined) {
          const databases = await stats.listDatabases();
          if (options.json) writeJSON(io.stdout, databases);
          else
            writeTable(
              io.stdout,
              ['DATABASE', 'SIZE (MB)'],
              databases.map((db) => [db.dbName, Number(db.sizeInMB.toFixed(3))]),
            );
          return;
        }
        const { collections, sizeMb, numCollections } = await stats.db(name);
        if (options.json) return writeJSON(io.stdout, { name, sizeMb, numCollections, collections });
        writeTable(
          io.stdout,
          ['COLLECTION', 'DOCUMENTS', 'SIZE (MB)'],
          collections.map((collection) => [collection.name, collection.docCount, Number(collection.sizeMb.toFixed(3))]),
        );
        writeLine(io.stdout, `${numCollections} collections, ${sizeMb.toFixed(3)} MB`);
      });
    });
