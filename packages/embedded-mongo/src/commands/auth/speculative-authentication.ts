import type { Doc } from '../../bson/value.js';
import { stringArgument } from '../arguments.js';
import type { Operation } from '../operation.js';
import type { ReplyDoc } from '../reply.js';
import { beginConversation } from './sasl.commands.js';

/** Hello may carry the first message of an exchange; one that cannot begin is left out of the reply, not an error. */
export function startSpeculativeAuthentication(op: Operation, args: Doc): ReplyDoc | undefined {
  if (!args.has('saslStart')) return undefined;
  try {
    return beginConversation(op, args, stringArgument(args, 'db') ?? 'admin');
  } catch {
    return undefined;
  }
}
