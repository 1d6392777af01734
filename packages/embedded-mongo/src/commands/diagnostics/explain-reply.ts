import { CommandError } from '../../errors.js';
import type { Doc, Value } from '../../bson/value.js';
import type { Command } from '../command.js';
import type { Operation } from '../operation.js';
import { fieldsOf, int, reply } from '../reply.js';
import type { ReplyDoc } from '../reply.js';
import { VERSION } from './build-info.command.js';

/** Explains the command of an operation, also an aggregate with `explain: true`. @throws CommandError for a command that has no plan */
export function explainReply(op: Operation, explain: Command['explain'], hasStats: boolean): ReplyDoc {
  const body = explained(op, explain, hasStats);
  const [host, port] = op.server.topology.host.split(':');
  return reply({
    explainVersion: '1',
    ...Object.fromEntries(body),
    command: new Map<string, Value>([...op.args, ['$db', op.db]]),
    serverInfo: fieldsOf({ host, port: int(Number(port)), version: VERSION, gitVersion: 'polymongo-embedded' }),
    serverParameters: fieldsOf({}),
  });
}

/** An explained command is an operation of its own, which nobody else ends. */
function explained(op: Operation, explain: Command['explain'], hasStats: boolean): Doc {
  if (!explain) throw new CommandError('IllegalOperation', `Cannot explain cmd: ${op.command.name}`);
  try {
    return explain(op, hasStats);
  } finally {
    op.releaseSnapshot();
  }
}
