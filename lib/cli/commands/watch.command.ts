import type { Command } from 'commander';
import type { CliIO } from '../cli.io.js';
import { type GlobalOptions, uriOf, withWrapper } from '../cli.session.js';
import { explain, writeJSON } from '../output.js';

/** `polymongo watch`: changes as they happen, one JSON a line, until Ctrl-C. */
export const watchCommand = (program: Command, io: CliIO): Command =>
  program
    .command('watch')
    .argument('<db>', 'the database')
    .argument('[collection]', 'one collection (default: all)')
    .description('print changes as they happen, one Extended JSON a line, until Ctrl-C')
    .addHelpText('after', '\nExample:\n  polymongo watch shop orders')
    .action(async (name: string, collection: string | undefined, _: object, command: Command) => {
      const { default: mongoose } = await import('mongoose');
      const flags = command.optsWithGlobals<GlobalOptions>();
      await withWrapper(uriOf(flags, io), async ({ pools }) => {
        const { connection } = pools.database(name);
        await connection.asPromise();
        const stream = collection === undefined ? connection.db!.watch() : connection.collection(collection).watch();
        const what = collection === undefined ? name : `${name}.${collection}`;
        explain(io, flags, `Watching ${what}: one change a line as it happens, until Ctrl-C.`);
        const stop = () => void stream.close();
        io.signal.addEventListener('abort', stop, { once: true });
        if (io.signal.aborted) stop(); // while it connected
        try {
          for await (const change of stream)
            writeJSON(io.stdout, mongoose.mongo.BSON.EJSON.serialize(change, { relaxed: true }));
        } catch (error) {
          if (!io.signal.aborted) throw error;
        } finally {
          io.signal.removeEventListener('abort', stop);
        }
      });
    });
