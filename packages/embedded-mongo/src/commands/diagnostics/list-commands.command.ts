import type { Command } from '../command.js';
import { allCommands } from '../registry.js';
import { fieldsOf, reply } from '../reply.js';

export const listCommands: Command = {
  name: 'listCommands',
  isAuthFree: true,
  isLenient: true,
  args: {},
  run: () =>
    reply({
      commands: fieldsOf(
        Object.fromEntries(
          allCommands().map((command) => [
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
};
