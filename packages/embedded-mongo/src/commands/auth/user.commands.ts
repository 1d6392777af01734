import { CommandError } from '../../errors.js';
import type { Value } from '../../bson/value.js';
import { equalValues } from '../../bson/compare.js';
import { arrayArgument, docArgument, stringArgument } from '../arguments.js';
import type { Command } from '../command.js';
import type { Operation } from '../operation.js';
import { int, reply } from '../reply.js';
import { rolesArgument } from './role.commands.js';
import { roleDoc } from './role-catalog.js';
import type { ScramMechanism } from './scram.secret.js';
import { isScramMechanism } from './scram.secret.js';

const USER_EXISTS = 51003;

const userNotFound = (shown: string): CommandError => new CommandError('UserNotFound', `User ${shown} not found`);

/** @throws CommandError as ICU's SASLprep does for a password that is none */
function passwordOf({ args }: Operation): string | undefined {
  const password = stringArgument(args, 'pwd');
  if (password === '') {
    throw new CommandError(50687, 'Error preflighting UTF-8 conversion: U_STRING_NOT_TERMINATED_WARNING');
  }
  if (password?.includes('\0')) {
    throw new CommandError(50692, 'Error preflighting normalization: U_STRINGPREP_PROHIBITED_ERROR');
  }
  return password;
}

/** A role given by its name alone is one of the command's database. */
const rolesOf = (op: Operation): Value[] | undefined => rolesArgument(op)?.map(roleDoc);

/** @throws CommandError BadValue for a mechanism that is none, or for an empty list */
function mechanismsOf({ args }: Operation): ScramMechanism[] | undefined {
  const given = arrayArgument(args, 'mechanisms');
  if (given?.length === 0) throw new CommandError('BadValue', 'mechanisms field must not be empty');
  return given?.map((name) => {
    if (isScramMechanism(name)) return name;
    throw new CommandError('BadValue', `Unknown auth mechanism '${String(name)}'`);
  });
}

const USER_FIELDS = {
  pwd: 'string',
  customData: 'object',
  roles: 'array',
  digestPassword: 'bool',
  authenticationRestrictions: 'array',
  mechanisms: 'array',
} as const;

export const createUser: Command = {
  name: 'createUser',
  isWrite: true,
  args: { ...USER_FIELDS, createUser: 'string!', roles: 'array!' },
  run(op) {
    const { credentials } = op.server;
    const name = stringArgument(op.args, 'createUser')!;
    if (name === '') throw new CommandError('BadValue', "User document needs 'user' field to be non-empty");
    const password = passwordOf(op);
    const mechanisms = mechanismsOf(op);
    if (password === undefined) {
      throw new CommandError(
        'BadValue',
        "Must provide a 'pwd' field for all user documents, except those with '$external' as the user's source db",
      );
    }
    if (credentials.find(op.db, name)) throw new CommandError(USER_EXISTS, `User "${name}@${op.db}" already exists`);
    credentials.set(op.db, name, {
      password,
      roles: rolesOf(op),
      mechanisms,
      customData: docArgument(op.args, 'customData'),
    });
    return reply({});
  },
};

export const updateUser: Command = {
  name: 'updateUser',
  isWrite: true,
  args: { ...USER_FIELDS, updateUser: 'string!' },
  run(op) {
    const { credentials } = op.server;
    const name = stringArgument(op.args, 'updateUser')!;
    if (!Object.keys(USER_FIELDS).some((field) => op.args.has(field))) {
      throw new CommandError('BadValue', 'Must specify at least one field to update in updateUser');
    }
    const change = {
      password: passwordOf(op),
      roles: rolesOf(op),
      mechanisms: mechanismsOf(op),
      customData: docArgument(op.args, 'customData'),
    };
    if (!credentials.find(op.db, name)) throw userNotFound(`${name}@${op.db}`);
    credentials.set(op.db, name, change);
    return reply({});
  },
};

export const dropUser: Command = {
  name: 'dropUser',
  isWrite: true,
  args: { dropUser: 'string!' },
  run({ args, db, server }) {
    const name = stringArgument(args, 'dropUser')!;
    if (!server.credentials.delete(db, name)) throw userNotFound(`'${name}@${db}'`);
    return reply({});
  },
};

export const dropAllUsersFromDatabase: Command = {
  name: 'dropAllUsersFromDatabase',
  isWrite: true,
  args: { dropAllUsersFromDatabase: 'any' },
  run: ({ db, server }) => reply({ n: int(server.credentials.deleteAllOf(db)) }),
};

/** `grantRolesToUser` and `revokeRolesFromUser`, by what becomes of a user's roles. */
const roleChange = (
  name: 'grantRolesToUser' | 'revokeRolesFromUser',
  changed: (roles: Value[], given: Value[]) => Value[],
): Command => ({
  name,
  isWrite: true,
  args: { [name]: 'string!', roles: 'array!' },
  run(op) {
    const { credentials } = op.server;
    if (arrayArgument(op.args, 'roles')!.length === 0) {
      throw new CommandError('BadValue', `${name} command requires a non-empty "roles" array`);
    }
    const user = credentials.find(op.db, stringArgument(op.args, name)!);
    if (!user) {
      const wanted = `"${stringArgument(op.args, name)}" for db "${op.db}"`;
      throw new CommandError('UserNotFound', `Could not find user ${wanted}`);
    }
    credentials.set(op.db, user.user, { roles: changed(user.roles, rolesOf(op)!) });
    return reply({});
  },
});

const isAmong = (roles: readonly Value[], role: Value): boolean => roles.some((other) => equalValues(other, role));

export const grantRolesToUser = roleChange('grantRolesToUser', (roles, given) => [
  ...roles,
  ...given.filter((role) => !isAmong(roles, role)),
]);

export const revokeRolesFromUser = roleChange('revokeRolesFromUser', (roles, given) =>
  roles.filter((role) => !isAmong(given, role)),
);

/** Only X.509 certificates use it, and a loopback server without TLS has none. */
export const authenticate: Command = {
  name: 'authenticate',
  isAuthFree: true,
  isInApiV1: true,
  isLenient: true,
  args: {},
  run() {
    throw new CommandError('AuthenticationFailed', 'Authentication failed.');
  },
};
