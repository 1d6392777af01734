import { CommandError } from '../../errors.js';
import type { Doc } from '../../bson/value.js';
import { docArgument, stringArgument } from '../arguments.js';
import { checkArguments } from '../command-arguments.js';
import type { Command } from '../command.js';
import { Operation } from '../operation.js';
import { explainReply } from './explain-reply.js';

const VERBOSITIES = ['queryPlanner', 'executionStats', 'allPlansExecution'];

/** The command `explain`. @param find gives the command that is to be explained */
export const explainOf = (find: (name: string) => Command | undefined): Command => ({
  name: 'explain',
  isInApiV1: true,
  args: { explain: 'object!', verbosity: 'string' },
  run(op) {
    const inner = docArgument(op.args, 'explain')!;
    const verbosity = stringArgument(op.args, 'verbosity') ?? 'allPlansExecution';
    if (!VERBOSITIES.includes(verbosity)) {
      throw new CommandError(
        'BadValue',
        `Enumeration value '${verbosity}' for field 'explain.verbosity' is not a valid value.`,
      );
    }
    const [name] = inner.keys();
    const command = name === undefined ? undefined : find(name);
    if (!command) throw new CommandError('CommandNotFound', `Explain failed due to unknown command: ${name}`);
    checkArguments(command, name!, inner);
    const explained = innerOperation(op, command, name!, inner);
    return explainReply(explained, command.explain, verbosity !== 'queryPlanner');
  },
});

const innerOperation = (op: Operation, command: Command, name: string, args: Doc): Operation =>
  new Operation(op.id, op.server, op.client, command, name, op.db, args, op.generic, op.request, undefined);
