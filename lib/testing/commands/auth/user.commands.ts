import { CommandError } from '../../errors.js';
import type { Doc, Value } from '../../bson/value.js';
import { isDoc } from '../../bson/value.js';
import { arrayArgument, stringArgument } from '../arguments.js';
import type { Command } from '../command.js';
import type { Operation } from '../operation.js';
import { fieldsOf, reply } from '../reply.js';
import type { StoredUser } from './credentials.js';
import type { ScramMechanism } from './scram.secret.js';
import { isScramMechanism } from './scram.secret.js';

const USER_EXISTS = 51003;

const userNotFound = (name: string, db: string): CommandError =>
  new CommandError('UserNotFound', `Could not find user "${name}" for db "${db}"`);

/** A role given by its name alone is one of the command's database. */
const rolesOf = ({ args, db }: Operation): Value[] | undefined =>
  arrayArgument(args, 'roles')?.map((role) => (typeof role === 'string' ? fieldsOf({ role, db }) : role));

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
    const password = stringArgument(op.args, 'pwd');
    if (!password) {
      throw new CommandError(
        'BadValue',
        "Must provide a 'pwd' field for all user documents, except those with '$external' as the user's source db",
      );
    }
    if (credentials.find(op.db, name)) throw new CommandError(USER_EXISTS, `User "${name}@${op.db}" already exists`);
    credentials.set(op.db, name, password, rolesOf(op), mechanismsOf(op));
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
    if (!credentials.find(op.db, name)) throw userNotFound(name, op.db);
    credentials.set(op.db, name, stringArgument(op.args, 'pwd'), rolesOf(op), mechanismsOf(op));
    return reply({});
  },
};

export const dropUser: Command = {
  name: 'dropUser',
  isWrite: true,
  args: { dropUser: 'string!' },
  run({ args, db, server }) {
    const name = stringArgument(args, 'dropUser')!;
    if (!server.credentials.delete(db, name)) throw userNotFound(name, db);
    return reply({});
  },
};

export const usersInfo: Command = {
  name: 'usersInfo',
  isLenient: true,
  args: {},
  run({ args, db, server }) {
    const wanted = args.get('usersInfo');
    const users = server.credentials.all.filter((user) => isWanted(user, wanted, db)).map(describe);
    return reply({ users });
  },
};

/** `1` for all of the database, a name, `{ user, db }`, `{ forAllDBs: true }`, or a list of those. */
function isWanted(user: StoredUser, wanted: Value | undefined, db: string): boolean {
  if (Array.isArray(wanted)) return wanted.some((one) => isWanted(user, one, db));
  if (typeof wanted === 'string') return user.user === wanted && user.db === db;
  if (isDoc(wanted)) {
    return wanted.get('forAllDBs') === true || (wanted.get('user') === user.user && wanted.get('db') === user.db);
  }
  return user.db === db;
}

const describe = ({ user, db, roles, secrets }: StoredUser): Doc =>
  fieldsOf({ _id: `${db}.${user}`, user, db, roles, mechanisms: [...secrets.keys()] });

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
