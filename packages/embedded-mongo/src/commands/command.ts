import type { Doc } from '../bson/value.js';
import type { CommandTraits } from './command-traits.js';
import type { Operation } from './operation.js';
import type { ReplyDoc } from './reply.js';

/** One database command. `commands/registry.ts` lists them all. */
export interface Command extends CommandTraits {
  run(op: Operation): ReplyDoc | Promise<ReplyDoc>;
  /** How it would go about it, with what it would cost if `hasStats`; undefined for what has no plan. */
  readonly explain?: (op: Operation, hasStats: boolean) => Doc;
}
