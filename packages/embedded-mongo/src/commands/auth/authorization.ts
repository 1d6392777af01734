import { formatDoc } from '../../bson/format.js';
import type { Doc } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { Namespace } from '../../storage/namespace.js';
import type { Client } from '../client.js';
import type { Command } from '../command.js';
import type { Credentials } from './credentials.js';
import { mayRun } from './command.rules.js';
import { hasScript } from './pipeline.rules.js';
import { concerns, type Demand, grants, mayReadSomething, type Privilege } from './privileges.js';
import type { May } from './rule.js';
import { shownCommand } from './shown-command.js';

/** What the user of a connection may do; undefined where everybody may do everything. */
export function privilegesOf(credentials: Credentials, { authenticatedAs }: Client): Privilege[] | undefined {
  if (!credentials.isAuthenticationRequired || !authenticatedAs) return undefined;
  const user = credentials.find(authenticatedAs.db, authenticatedAs.user);
  return user ? credentials.privilegesOf(user) : [];
}

export const isGranted = (privileges: readonly Privilege[] | undefined, demand: Demand): boolean =>
  !privileges || privileges.some((privilege) => grants(privilege, demand));

/** Whether a user may do anything at all with a collection, or in a database. */
export const isConcerned = (privileges: readonly Privilege[] | undefined, on: Partial<Namespace>): boolean =>
  !privileges || privileges.some((privilege) => concerns(privilege, on));

/** @throws CommandError Unauthorized (13) for a command that the user's roles do not allow */
export function authorize(
  credentials: Credentials,
  client: Client,
  { name }: Command,
  commandName: string,
  db: string,
  args: Doc,
): void {
  const privileges = privilegesOf(credentials, client);
  if (!privileges) return;
  const request = { name, commandName, db, args, user: client.authenticatedAs! };
  const may: May = (action, on) => isGranted(privileges, { action, on });
  // Scripts hold up everybody else here, so they are for those who may read something. MongoDB asks for nothing.
  if (mayRun(request, may) && (mayReadSomething(privileges) || !hasScript(args))) return;
  throw new CommandError('Unauthorized', `not authorized on ${db} to execute command ${formatDoc(shownCommand(args))}`);
}
