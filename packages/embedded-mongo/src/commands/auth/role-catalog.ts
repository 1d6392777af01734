import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { fieldsOf } from '../reply.js';
import { builtInPrivileges } from './built-in.roles.js';
import type { Privilege, Resource } from './privileges.js';

/** A role by its name and the database it is of. */
export interface RoleName {
  readonly role: string;
  readonly db: string;
}

/** A role that `createRole` made. */
export interface StoredRole extends RoleName {
  readonly privileges: readonly Privilege[];
  readonly roles: readonly RoleName[];
}

const keyOf = ({ role, db }: RoleName): string => `${db}.${role}`;

/** The roles of a server. */
export class RoleCatalog {
  private readonly roles = new Map<string, StoredRole>();

  get all(): StoredRole[] {
    return [...this.roles.values()];
  }

  find(name: RoleName): StoredRole | undefined {
    return this.roles.get(keyOf(name));
  }

  set(role: StoredRole): void {
    this.roles.set(keyOf(role), role);
  }

  /** @returns whether there was such a role */
  delete(name: RoleName): boolean {
    return this.roles.delete(keyOf(name));
  }

  /** @throws CommandError RoleNotFound (31) for a role nobody has made */
  require(names: readonly RoleName[]): void {
    for (const { role, db } of names) {
      if (this.find({ role, db }) || builtInPrivileges(role, db)) continue;
      throw new CommandError('RoleNotFound', `Could not find role: ${role}@${db}`);
    }
  }

  /** What some roles allow, with all that they inherit. */
  privilegesOf(names: readonly RoleName[], seen = new Set<string>()): Privilege[] {
    return names.flatMap((name) => {
      if (seen.has(keyOf(name))) return [];
      seen.add(keyOf(name));
      const own = this.find(name);
      if (!own) return [...(builtInPrivileges(name.role, name.db) ?? [])];
      return [...own.privileges, ...this.privilegesOf(own.roles, seen)];
    });
  }
}

/** Reads a list of roles: those given by a name alone are of `db`. @throws CommandError BadValue */
export const parseRoles = (values: readonly Value[], db: string): RoleName[] =>
  values.map((value) => {
    if (typeof value === 'string') return { role: value, db };
    const [role, of] = isDoc(value) ? [value.get('role'), value.get('db')] : [];
    if (typeof role === 'string' && typeof of === 'string') return { role, db: of };
    throw new CommandError('BadValue', 'Role names must be either strings or objects with a role and a db');
  });

/** Reads a list of privileges. @throws CommandError FailedToParse */
export const parsePrivileges = (values: readonly Value[]): Privilege[] =>
  values.map((value) => {
    const [resource, actions] = isDoc(value) ? [value.get('resource'), value.get('actions')] : [];
    if (!isDoc(resource) || !Array.isArray(actions)) {
      throw new CommandError('FailedToParse', "a privilege needs a 'resource' and 'actions'");
    }
    return { resource: resourceOf(resource), actions: actions.map(String) };
  });

/** Of one kind: what names a database beside the whole cluster would be granted as the one and used as the other. */
function resourceOf(resource: Doc): Resource {
  const isOnly = (...fields: string[]) =>
    resource.size === fields.length && fields.every((field) => resource.has(field));
  if (isOnly('anyResource') && resource.get('anyResource') === true) return { anyResource: true };
  if (isOnly('cluster') && resource.get('cluster') === true) return { cluster: true };
  const [db, coll] = [resource.get('db'), resource.get('collection')];
  if (isOnly('db', 'collection') && typeof db === 'string' && typeof coll === 'string') return { db, coll };
  throw new CommandError('FailedToParse', "a resource needs 'db' and 'collection', 'cluster' or 'anyResource'");
}

/** A privilege as commands show it. */
export const privilegeDoc = ({ resource, actions }: Privilege): Doc =>
  fieldsOf({
    resource: 'coll' in resource ? fieldsOf({ db: resource.db, collection: resource.coll }) : fieldsOf({ ...resource }),
    actions: [...actions],
  });

export const roleDoc = ({ role, db }: RoleName): Doc => fieldsOf({ role, db });
