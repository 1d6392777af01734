import { Command } from 'commander';
import { isClosedPipe, tellFailure } from './cli.failure.js';
import { type CliIO, ExitCode, Interruption } from './cli.io.js';
import { copyCommand } from './commands/copy.command.js';
import { dropCommand } from './commands/drop.command.js';
import { embeddedCommand } from './commands/embedded.command.js';
import { exportCollectionCommand } from './commands/export-collection.command.js';
import { exportCommand } from './commands/export.command.js';
import { importCollectionCommand } from './commands/import-collection.command.js';
import { importCommand } from './commands/import.command.js';
import { listCommand } from './commands/list.command.js';
import { migrateCommand } from './commands/migrate.command.js';
import { statsCommand } from './commands/stats.command.js';
import { tenantsCommand } from './commands/tenants.command.js';
import { watchCommand } from './commands/watch.command.js';
import type { GlobalOptions } from './cli.session.js';
import { messageOf } from '../polymongo.errors.js';
import { redactURI } from '../polymongo.uri.js';
import { failureOf, writeLine } from './output.js';

const HELP = `
The server is --uri, else POLYMONGO_URI or MONGODB_URI of the environment, which ps shows to nobody else. Passwords are
never printed.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but documents or indexes were skipped, 130 interrupted.

Examples:
  polymongo embedded --port 27018
  polymongo list --uri mongodb://localhost:27018
  polymongo export shop --out shop.json.gz
  polymongo import shop_copy shop.json.gz
  polymongo migrate up --all`;

/** Runs one command line. @returns the exit code */
export async function runCli(argv: readonly string[], io: CliIO): Promise<number> {
  let code: number = ExitCode.Done;
  let usage = '';
  const exit = (value: number) => void (code = value);
  const program = new Command('polymongo')
    .version(io.version)
    .description('Many MongoDB databases: look, copy, export, import, watch, migrate.')
    .option('-u, --uri <uri>', 'connection string of the server')
    .option('--json', 'print results as JSON')
    .option('--quiet', 'no progress and no summary')
    .addHelpText('after', HELP)
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      // An argument in the wrong place is quoted. What is meant instead stands in a line of its own.
      outputError: (text) => (usage = text.trimEnd().replace(/\n(?=\(Did you mean [^\n]*$)/, ' ')),
      writeErr: (text) => (usage += redactURI(text)),
    })
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();
  for (const add of [listCommand, statsCommand, exportCommand, importCommand, exportCollectionCommand]) {
    add(program, io, exit);
  }
  for (const add of [importCollectionCommand, copyCommand, dropCommand, watchCommand]) add(program, io, exit);
  migrateCommand(program, io, exit);
  tenantsCommand(program, io, exit);
  embeddedCommand(program, io, exit);
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    const flags = { ...program.opts<GlobalOptions>(), ...(argv.includes('--json') && { json: true }) };
    code = tellFailure(error, io, flags, usage);
  }
  return code === ExitCode.Failed ? code : ((await failedToWrite(io)) ?? code);
}

/** What was done and could not be told is no success: the exit code then, once all output has gone. */
async function failedToWrite({ stdout, stderr, signal }: CliIO): Promise<number | undefined> {
  const failure = await failureOf(stdout, signal);
  if (failure === undefined || failure instanceof Interruption || isClosedPipe(failure)) return undefined;
  writeLine(stderr, `polymongo: the output could not be written: ${messageOf(failure)}`);
  return ExitCode.Failed;
}
