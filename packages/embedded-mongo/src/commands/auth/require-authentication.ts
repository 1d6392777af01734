import { CommandError } from '../../errors.js';
import type { Client } from '../client.js';
import type { Command } from '../command.js';

/** @throws CommandError Unauthorized (13) */
export function requireAuthentication(client: Client, command: Command | undefined, commandName: string): void {
  if (client.authenticatedAs || command?.isAuthFree) return;
  throw new CommandError('Unauthorized', `Command ${commandName} requires authentication`);
}
