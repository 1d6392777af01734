import type { Doc, Value } from '../../bson/value.js';
import { isDoc } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { arrayArgument, boolArgument, stringArgument } from '../arguments.js';
import type { Command } from '../command.js';
import type { Operation } from '../operation.js';
import { fieldsOf, reply } from '../reply.js';
import { builtInPrivileges } from './built-in.roles.js';
import { parsePrivileges, parseRoles, privilegeDoc, roleDoc, type RoleName, type StoredRole } from './role-catalog.js';

const ROLE_EXISTS = 51002;

const roleNotFound = ({ role, db }: RoleName): CommandError =>
  new CommandError('RoleNotFound', `Role "${role}@${db}" not found`);

/** The roles a command lists, all of which have to be there. @throws CommandError RoleNotFound (31) */
export function rolesArgument({ args, db, server }: Operation): RoleName[] | undefined {
  const given = arrayArgument(args, 'roles');
  const roles = given && parseRoles(given, db);
  if (roles) server.credentials.roles.require(roles);
  return roles;
}

export const createRole: Command = {
  name: 'createRole',
  isWrite: true,
  args: { createRole: 'string!', privileges: 'array!', roles: 'array!', authenticationRestrictions: 'array' },
  run(op) {
    const name = { role: stringArgument(op.args, 'createRole')!, db: op.db };
    const { roles } = op.server.credentials;
    if (roles.find(name) || builtInPrivileges(name.role, name.db)) {
      throw new CommandError(ROLE_EXISTS, `Role "${name.role}@${name.db}" already exists`);
    }
    roles.set({
      ...name,
      privileges: parsePrivileges(arrayArgument(op.args, 'privileges')!),
      roles: rolesArgument(op)!,
    });
    return reply({});
  },
};

export const updateRole: Command = {
  name: 'updateRole',
  isWrite: true,
  args: { updateRole: 'string!', privileges: 'array', roles: 'array', authenticationRestrictions: 'array' },
  run(op) {
    const name = { role: stringArgument(op.args, 'updateRole')!, db: op.db };
    const { roles } = op.server.credentials;
    const known = roles.find(name);
    if (!['privileges', 'roles', 'authenticationRestrictions'].some((field) => op.args.has(field))) {
      throw new CommandError('BadValue', 'Must specify at least one field to update in updateRole');
    }
    if (!known) throw roleNotFound(name);
    const privileges = arrayArgument(op.args, 'privileges');
    roles.set({
      ...name,
      privileges: privileges ? parsePrivileges(privileges) : known.privileges,
      roles: rolesArgument(op) ?? known.roles,
    });
    return reply({});
  },
};

export const dropRole: Command = {
  name: 'dropRole',
  isWrite: true,
  args: { dropRole: 'string!' },
  run({ args, db, server }) {
    const name = { role: stringArgument(args, 'dropRole')!, db };
    if (!server.credentials.roles.delete(name)) throw roleNotFound(name);
    return reply({});
  },
};

/** A name, `{ role, db }`, a list of those, or 1 for all of the database. */
export const rolesInfo: Command = {
  name: 'rolesInfo',
  isLenient: true,
  args: {},
  run({ args, db, server }) {
    const { roles } = server.credentials;
    const wanted = args.get('rolesInfo');
    const showsPrivileges = boolArgument(args, 'showPrivileges');
    const found: StoredRole[] =
      typeof wanted === 'string' || isDoc(wanted) || Array.isArray(wanted)
        ? parseRoles(Array.isArray(wanted) ? wanted : [wanted], db).flatMap((name) => roles.find(name) ?? builtIn(name))
        : roles.all.filter((role) => role.db === db);
    const describe = (role: StoredRole): Doc =>
      fieldsOf({
        _id: `${role.db}.${role.role}`,
        role: role.role,
        db: role.db,
        privileges: showsPrivileges ? role.privileges.map(privilegeDoc) : undefined,
        roles: role.roles.map(roleDoc),
        isBuiltin: !roles.find(role),
      });
    return reply({ roles: found.map(describe) as Value[] });
  },
};

function builtIn(name: RoleName): StoredRole[] {
  const privileges = builtInPrivileges(name.role, name.db);
  return privileges ? [{ ...name, privileges, roles: [] }] : [];
}
