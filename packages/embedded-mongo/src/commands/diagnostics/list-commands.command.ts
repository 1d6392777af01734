import type { Command } from '../command.js';
import { fieldsOf, reply } from '../reply.js';

/** The command `listCommands`. @param all gives every command there is */
export const listCommandsOf = (all: () => readonly Command[]): Command => ({
  name: 'listCommands',
  isAuthFree: true,
  isLenient: true,
  args: {},
  run: () =>
    reply({
      commands: fieldsOf(
        Object.fromEntries(
          all().map((command) => [
            command.name,
            fieldsOf({
              help: '',
              requiresAuth: command.isAuthFree !== true,
              secondaryOk: command.isWrite !== true,
              adminOnly: command.isAdminOnly === true,
              apiVersions: command.isInApiV1 ? ['1'] : [],
              deprecatedApiVersions: [],
            }),
          ]),
        ),
      ),
    }),
});
