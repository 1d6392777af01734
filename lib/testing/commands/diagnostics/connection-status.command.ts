import type { Command } from '../command.js';
import { fieldsOf, reply } from '../reply.js';

export const connectionStatus: Command = {
  name: 'connectionStatus',
  isAuthFree: true,
  args: { connectionStatus: 'any', showPrivileges: 'bool' },
  run({ client, args }) {
    const { authenticatedAs } = client;
    return reply({
      authInfo: fieldsOf({
        authenticatedUsers: authenticatedAs ? [fieldsOf(authenticatedAs)] : [],
        authenticatedUserRoles: authenticatedAs ? [fieldsOf({ role: 'root', db: 'admin' })] : [],
        authenticatedUserPrivileges: args.get('showPrivileges') === true ? [] : undefined,
      }),
    });
  },
};
