import { privilegesOf } from '../auth/authorization.js';
import { privilegeDoc } from '../auth/role-catalog.js';
import type { Command } from '../command.js';
import { fieldsOf, reply } from '../reply.js';

export const connectionStatus: Command = {
  name: 'connectionStatus',
  isAuthFree: true,
  args: { connectionStatus: 'any', showPrivileges: 'bool' },
  run({ client, args, server }) {
    const { authenticatedAs } = client;
    const user = authenticatedAs && server.credentials.find(authenticatedAs.db, authenticatedAs.user);
    const privileges = privilegesOf(server.credentials, client) ?? [];
    return reply({
      authInfo: fieldsOf({
        authenticatedUsers: authenticatedAs ? [fieldsOf(authenticatedAs)] : [],
        authenticatedUserRoles: user?.roles ?? [],
        authenticatedUserPrivileges: args.get('showPrivileges') === true ? privileges.map(privilegeDoc) : undefined,
      }),
    });
  },
};
