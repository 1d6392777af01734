import type { Command } from 'commander';
import type { CliIO } from '../cli.io.js';
import { type GlobalOptions, uriOf, withWrapper } from '../cli.session.js';
import { writeJSON, writeTable } from '../output.js';
import { formatBytes } from '../progress.line.js';

/** `polymongo list`: the databases of a server. */
export const listCommand = (program: Command, io: CliIO): Command =>
  program
    .command('list')
    .description('list the databases of the server')
    .addHelpText('after', '\nExample:\n  polymongo list --uri mongodb://localhost:27017 --json')
    .action(async (_: object, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const databases = await withWrapper(uriOf(options, io), async ({ pools }) => {
        const database = pools.database('default');
        const listed = await database.run(() => database.connection.db!.admin().listDatabases());
        return listed.databases.map(({ name, sizeOnDisk = 0, empty = false }) => ({ name, sizeOnDisk, empty }));
      });
      if (options.json) return writeJSON(io.stdout, databases);
      writeTable(
        io.stdout,
        ['DATABASE', 'SIZE ON DISK'],
        databases.map(({ name, sizeOnDisk }) => [name, formatBytes(sizeOnDisk)]),
      );
    });
