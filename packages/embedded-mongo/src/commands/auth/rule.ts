import type { Doc } from '../../bson/value.js';
import type { Namespace } from '../../storage/namespace.js';
import type { Demand } from './privileges.js';

/** A command as its rule looks at it. */
export interface AuthorizedRequest {
  /** The command's own name. */
  readonly name: string;
  /** The name it was called by, perhaps an alias. */
  readonly commandName: string;
  readonly db: string;
  readonly args: Doc;
  readonly user: { readonly user: string; readonly db: string };
}

/** Whether a user's roles grant an action. */
export type May = (action: string, on: Demand['on']) => boolean;

/** Whether a user may run a command. */
export type CommandRule = (request: AuthorizedRequest, may: May) => boolean;

/** The collection a command names, or its database when it names none. */
export function targetOf({ args, commandName, db }: AuthorizedRequest): Partial<Namespace> {
  const coll = args.get(commandName);
  return typeof coll === 'string' ? { db, coll } : { db };
}
