import { type Command, Option } from 'commander';
import { type CliIO, UsageError } from '../cli.io.js';
import { uriOf, withWrapper } from '../cli.session.js';
import type { PolyMongoWrapper } from '../../polymongo.wrapper.js';
import {
  conclude,
  progressLine,
  requireCollections,
  selectionOf,
  type SelectionFlags,
  withReading,
  withSelection,
} from './bulk.options.js';

interface Flags extends SelectionFlags {
  readonly onError: 'stop' | 'skip';
  readonly targetUri?: string;
  readonly dryRun?: boolean;
}

const EXAMPLES = `
Examples:
  polymongo copy shop shop_backup
  polymongo copy shop shop --target-uri mongodb://other:27017

Documents that are in the target stay as they are. A copy that did not finish can be run again.`;

/** `polymongo copy`: a database beside itself or to another server. */
export const copyCommand = (program: Command, io: CliIO, exit: (code: number) => void): Command =>
  withReading(withSelection(program.command('copy').argument('<source>').argument('<target>')))
    .description('copy a database with options, indexes and views')
    .option('--target-uri <uri>', 'the server of the target (default: POLYMONGO_TARGET_URI, else the same)')
    .addOption(
      new Option('--on-error <what>', 'after a document that is refused').choices(['stop', 'skip']).default('stop'),
    )
    .option('--dry-run', 'read and count, write nothing')
    .addHelpText('after', EXAMPLES)
    .action(async (source: string, target: string, _: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      const line = progressLine(io, flags);
      const { onError, dryRun, targetUri = io.env['POLYMONGO_TARGET_URI'] } = flags;
      if (targetUri === '') throw new UsageError('--target-uri is empty. Leave it out to copy on the same server.');
      const options = { ...(await selectionOf(flags, io, line)), onError, ...(dryRun && { dryRun }) };
      try {
        const uri = uriOf(flags, io);
        const summary = await withWrapper(uri, async (wrapper) => {
          await requireCollections(wrapper, source);
          const copy = ({ pools }: PolyMongoWrapper) =>
            wrapper.bulkTasks.copyDatabase(source, target, { ...options, targetPools: pools });
          return targetUri === undefined ? copy(wrapper) : withWrapper(targetUri, copy);
        });
        line.clear();
        exit(conclude(summary, io.stdout, flags));
      } finally {
        line.clear();
      }
    });
