import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { type CliIO, UsageError } from '../cli.io.js';
import { type GlobalOptions, uriOf, withWrapper } from '../cli.session.js';
import { writeJSON, writeLine } from '../output.js';
import { printable } from '../printable.js';
import { requireCollections } from './bulk.options.js';

/** `polymongo drop`: a database, after asking. */
export const dropCommand = (program: Command, io: CliIO): Command =>
  program
    .command('drop')
    .argument('<db>', 'the database')
    .description('drop a database, after asking for its name')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', '\nExamples:\n  polymongo drop old_shop\n  polymongo drop old_shop --yes')
    .action(async (name: string, { yes }: { yes?: boolean }, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const uri = uriOf(options, io);
      if (!yes) requireTerminal(name, io);
      const isDropped = await withWrapper(uri, async (wrapper) => {
        await requireCollections(wrapper, name);
        if (!yes && !(await isConfirmed(name, io))) return false;
        await wrapper.bulkTasks.dropDatabase(name);
        return true;
      });
      if (!isDropped) throw new Error('Nothing was dropped.');
      if (options.json) writeJSON(io.stdout, { dropped: name });
      else writeLine(io.stdout, `Dropped ${name}.`);
    });

/** @throws UsageError */
function requireTerminal(name: string, { stdin }: CliIO): void {
  if (!stdin.isTTY) throw new UsageError(`drop asks before it drops ${name}, and here is nobody to ask: use --yes.`);
}

async function isConfirmed(name: string, io: CliIO): Promise<boolean> {
  const prompt = createInterface({ input: io.stdin, output: io.stderr });
  try {
    const question = `Type the name of the database to drop it (${printable(name)}): `;
    return (await prompt.question(question, { signal: io.signal })) === name;
  } finally {
    prompt.close();
  }
}
