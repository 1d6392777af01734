import { isDoc, type Doc, type Value } from '../../bson/value.js';
import type { AuthorizedRequest, CommandRule, May } from './rule.js';

/** Any database's collections; where an action has to be allowed on whatever there is. */
const ANYWHERE = {};

const databaseOf = (role: Value, db: string): string => {
  const of = isDoc(role) ? role.get('db') : undefined;
  return typeof of === 'string' ? of : db;
};

const listOf = (args: Doc, field: string): readonly Value[] => {
  const given = args.get(field);
  return Array.isArray(given) ? given : [];
};

/** Nobody hands out a role of a database whose roles he may not grant. */
const mayGive = (action: 'grantRole' | 'revokeRole', { args, db }: AuthorizedRequest, may: May): boolean =>
  listOf(args, 'roles').every((role) => may(action, { db: databaseOf(role, db) }));

const mayGivePrivileges = ({ args }: AuthorizedRequest, may: May): boolean =>
  listOf(args, 'privileges').every((privilege) => {
    const resource = isDoc(privilege) ? privilege.get('resource') : undefined;
    const isWide = isDoc(resource) && (resource.has('anyResource') || resource.has('cluster'));
    const db = isDoc(resource) && !isWide ? resource.get('db') : undefined;
    return may('grantRole', { db: typeof db === 'string' && db !== '' ? db : 'admin' });
  });

const mayRestrict = ({ args, db }: AuthorizedRequest, may: May): boolean =>
  !args.has('authenticationRestrictions') || may('setAuthenticationRestriction', { db });

/** Who may make and change users and roles (src/mongo/db/commands/user_management_commands_common.cpp). */
export const USER_RULES: Readonly<Record<string, CommandRule>> = {
  createUser: (request, may) =>
    may('createUser', { db: request.db }) && mayGive('grantRole', request, may) && mayRestrict(request, may),
  updateUser(request, may) {
    const { args, db, user } = request;
    const isSelf = user.db === db && user.user === args.get('updateUser');
    const mayChange = (field: string, action: string, own: string): boolean =>
      !args.has(field) || may(action, { db }) || (isSelf && may(own, { db }));
    const isOfNothing = !['pwd', 'mechanisms', 'customData', 'roles', 'authenticationRestrictions'].some((field) =>
      args.has(field),
    );
    return (
      (!isOfNothing || isSelf || may('changePassword', { db })) &&
      mayChange('pwd', 'changePassword', 'changeOwnPassword') &&
      mayChange('mechanisms', 'changePassword', 'changeOwnPassword') &&
      mayChange('customData', 'changeCustomData', 'changeOwnCustomData') &&
      (!args.has('roles') || (may('revokeRole', ANYWHERE) && mayGive('grantRole', request, may))) &&
      mayRestrict(request, may)
    );
  },
  dropUser: ({ db }, may) => may('dropUser', { db }),
  dropAllUsersFromDatabase: ({ db }, may) => may('dropUser', { db }),
  grantRolesToUser: (request, may) => mayGive('grantRole', request, may),
  revokeRolesFromUser: (request, may) => mayGive('revokeRole', request, may),
  createRole: (request, may) =>
    may('createRole', { db: request.db }) &&
    mayGive('grantRole', request, may) &&
    mayGivePrivileges(request, may) &&
    mayRestrict(request, may),
  updateRole: (request, may) =>
    may('revokeRole', ANYWHERE) &&
    mayGive('grantRole', request, may) &&
    mayGivePrivileges(request, may) &&
    mayRestrict(request, may),
  dropRole: ({ db }, may) => may('dropRole', { db }),
  usersInfo({ args, db, user }, may) {
    const wanted = args.get('usersInfo') ?? null;
    if (isDoc(wanted) && wanted.get('forAllDBs') === true) return may('viewUser', 'cluster');
    if (typeof wanted !== 'string' && !isDoc(wanted) && !Array.isArray(wanted)) return may('viewUser', { db });
    return (Array.isArray(wanted) ? wanted : [wanted]).every((one) => {
      const home = databaseOf(one, db);
      const isSelf = user.db === home && user.user === (isDoc(one) ? one.get('user') : one);
      return isSelf || may('viewUser', { db: home });
    });
  },
  rolesInfo({ args, db }, may) {
    const wanted = args.get('rolesInfo') ?? null;
    const named = Array.isArray(wanted) ? wanted : [wanted];
    return named.every((role) => may('viewRole', { db: databaseOf(role, db) }));
  },
};
