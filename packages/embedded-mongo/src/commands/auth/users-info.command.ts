import { Binary } from 'bson';
import { compareStrings } from '../../bson/compare.js';
import type { Doc, Value } from '../../bson/value.js';
import { isDoc, typeName } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { compileFilter } from '../../query/filter.js';
import { plainEnv } from '../../query/env.js';
import { isNumeric } from '../../bson/number.js';
import { boolArgument, docArgument } from '../arguments.js';
import type { Command } from '../command.js';
import { fieldsOf, int, reply } from '../reply.js';
import type { StoredUser } from './credentials.js';

export const usersInfo: Command = {
  name: 'usersInfo',
  args: {
    usersInfo: 'any',
    showPrivileges: 'safeBool',
    showCredentials: 'safeBool',
    showAuthenticationRestrictions: 'safeBool',
    showCustomData: 'safeBool',
    filter: 'object',
  },
  run({ args, db, server }) {
    const isWanted = selection(args.get('usersInfo') ?? null, db);
    const filter = docArgument(args, 'filter');
    const fits = compileFilter(filter ?? new Map(), plainEnv());
    const shows = {
      credentials: boolArgument(args, 'showCredentials'),
      customData: boolArgument(args, 'showCustomData', true),
    };
    const users = server.credentials.all
      .filter(isWanted)
      .sort((a, b) => compareStrings(a.user, b.user) || compareStrings(a.db, b.db))
      .map((user) => describe(user, shows))
      .filter((user) => fits(user));
    return reply({ users });
  },
};

type Selection = (user: StoredUser) => boolean;

/** `1` for all of the database, a name, `{ user, db }`, `{ forAllDBs: true }`, or a list of those. */
function selection(wanted: Value, db: string): Selection {
  if (isNumeric(wanted)) return (user) => user.db === db;
  if (isDoc(wanted) && wanted.get('forAllDBs') === true) return () => true;
  if (!Array.isArray(wanted)) return named(wanted, db);
  const selections = wanted.map((one) => named(one, db));
  return (user) => selections.some((isWanted) => isWanted(user));
}

/** @throws CommandError BadValue for what names no user */
function named(wanted: Value, db: string): Selection {
  if (typeof wanted === 'string') return (user) => user.user === wanted && user.db === db;
  if (!isDoc(wanted)) throw new CommandError('BadValue', 'UserName must be either a string or an object');
  for (const field of wanted.keys()) {
    if (field === 'user' || field === 'db') continue;
    throw new CommandError('BadValue', `UserName contains an unknown field named: '${field}`);
  }
  const [name, source] = ['user', 'db'].map((field) => {
    const value = wanted.get(field);
    if (typeof value === 'string') return value;
    throw new CommandError(
      'BadValue',
      value === undefined
        ? `UserName must contain a field named: ${field}`
        : `UserName must contain a string field named: ${field}. But, has type ${typeName(value)}`,
    );
  });
  return (user) => user.user === name && user.db === source;
}

const describe = (
  { user, db, userId, roles, secrets, customData }: StoredUser,
  shows: { readonly credentials: boolean; readonly customData: boolean },
): Doc =>
  fieldsOf({
    _id: `${db}.${user}`,
    userId: new Binary(userId, Binary.SUBTYPE_UUID),
    user,
    db,
    credentials: shows.credentials ? credentialsOf(secrets) : undefined,
    customData: shows.customData ? customData : undefined,
    roles,
    mechanisms: [...secrets.keys()],
  });

const credentialsOf = (secrets: StoredUser['secrets']): Doc =>
  new Map(
    Array.from(secrets, ([mechanism, { iterations, salt, storedKey, serverKey }]) => [
      mechanism,
      fieldsOf({
        iterationCount: int(iterations),
        salt: salt.toString('base64'),
        storedKey: storedKey.toString('base64'),
        serverKey: serverKey.toString('base64'),
      }),
    ]),
  );
