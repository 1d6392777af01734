import type { Command } from 'commander';
import { type CliIO, ExitCode, UsageError } from '../cli.io.js';
import type { GlobalOptions } from '../cli.session.js';
import { explain, writeJSON, writeLine } from '../output.js';

/** `polymongo embedded`: a MongoDB in this process until Ctrl-C. */
export const embeddedCommand = (program: Command, io: CliIO, exit: (code: number) => void): Command =>
  program
    .command('embedded')
    .description('run an embedded MongoDB, with its data in memory, until Ctrl-C')
    .option('-p, --port <port>', 'TCP port on 127.0.0.1 (default: any free one)', parsePort)
    .option('--repl-set <name>', 'name of the replica set', 'rs0')
    .addHelpText('after', '\nExample:\n  polymongo embedded --port 27018')
    .action(async ({ port, replSet }: { port?: number; replSet: string }, command: Command) => {
      const { EmbeddedMongo } = await import('../../testing/embedded-mongo.js');
      const mongo = await EmbeddedMongo.start({ replSet, ...(port !== undefined && { port }) });
      const flags = command.optsWithGlobals<GlobalOptions>();
      explain(
        io,
        flags,
        'A MongoDB runs in this process. Its data is in memory, and gone with Ctrl-C. Its connection string:',
      );
      if (flags.json) writeJSON(io.stdout, { uri: mongo.uri, port: mongo.port });
      else writeLine(io.stdout, mongo.uri);
      if (!io.signal.aborted)
        await new Promise((resolve) => io.signal.addEventListener('abort', resolve, { once: true }));
      await mongo.stop();
      exit(ExitCode.Done);
    });

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) throw new UsageError(`--port takes a number from 0 to 65535, not ${text}.`);
  return port;
}
