import type { Doc } from '../bson/value.js';
import type { Client } from './client.js';
import type { CommandTraits } from './command-traits.js';
import type { ClientCursor } from './cursor/client-cursor.js';
import type { GenericArguments } from './generic-arguments.js';
import type { Interruptible } from './interrupt.js';

/** What is shown of an operation, by currentOp and the profiler. */
export interface RunningOperation extends Interruptible {
  readonly id: number;
  readonly now: Date;
  readonly client: Client;
  readonly command: CommandTraits;
  readonly db: string;
  readonly namespace: string;
  readonly args: Doc;
  readonly generic: GenericArguments;
  readonly cursor: ClientCursor | undefined;
}
