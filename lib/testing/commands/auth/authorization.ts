import { formatDoc } from '../../bson/format.js';
import type { Doc } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { Client } from '../client.js';
import type { Command } from '../command.js';
import type { Credentials } from './credentials.js';
import { demandsOf } from './demands.js';
import { type Demand, grants, type Privilege } from './privileges.js';

/** What the user of a connection may do; undefined where everybody may do everything. */
export function privilegesOf(credentials: Credentials, { authenticatedAs }: Client): Privilege[] | undefined {
  if (!credentials.isAuthenticationRequired || !authenticatedAs) return undefined;
  const user = credentials.find(authenticatedAs.db, authenticatedAs.user);
  return user ? credentials.privilegesOf(user) : [];
}

export const isGranted = (privileges: readonly Privilege[] | undefined, demand: Demand): boolean =>
  !privileges || privileges.some((privilege) => grants(privilege, demand));

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
  if (demandsOf(name, args, commandName, db).every((demand) => isGranted(privileges, demand))) return;
  throw new CommandError('Unauthorized', `not authorized on ${db} to execute command ${formatDoc(args)}`);
}
