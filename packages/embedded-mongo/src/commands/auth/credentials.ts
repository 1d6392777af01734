import { randomUUID } from 'node:crypto';
import type { Doc, Value } from '../../bson/value.js';
import { fieldsOf } from '../reply.js';
import type { Privilege } from './privileges.js';
import { parseRoles, RoleCatalog, roleDoc } from './role-catalog.js';
import type { ScramMechanism, ScramSecret } from './scram.secret.js';
import { SCRAM_MECHANISMS, secretOf } from './scram.secret.js';

/** A user of `EmbeddedMongo.start`: named as in a connection's options, or as `createUser` names it. */
export type EmbeddedUser =
  | {
      readonly username: string;
      readonly password: string;
      /** The database it authenticates against; default `admin`. */
      readonly authSource?: string;
      readonly roles?: EmbeddedRoles;
    }
  | { readonly user: string; readonly pwd: string; readonly db?: string; readonly roles?: EmbeddedRoles };

/** Built-in roles; one given by its name alone is of the user's database. Default: `root`. */
export type EmbeddedRoles = readonly (string | { readonly role: string; readonly db: string })[];

/** A user as `usersInfo` knows it. */
export interface StoredUser {
  readonly user: string;
  readonly db: string;
  /** 16 bytes, the user's own for as long as it is there. */
  readonly userId: Buffer;
  readonly customData: Doc | undefined;
  /** One for each mechanism that the user may log in with. */
  readonly secrets: ReadonlyMap<ScramMechanism, ScramSecret>;
  readonly roles: Value[];
}

/** What `createUser` and `updateUser` say of a user. */
export interface UserChange {
  readonly password?: string | undefined;
  readonly roles?: Value[] | undefined;
  readonly mechanisms?: readonly ScramMechanism[] | undefined;
  readonly customData?: Doc | undefined;
}

const uuidBytes = (): Buffer => Buffer.from(randomUUID().replaceAll('-', ''), 'hex');

const ROOT: Value[] = [fieldsOf({ role: 'root', db: 'admin' })];

/** The users of a server, and whether clients have to be one of them. */
export class Credentials {
  readonly roles = new RoleCatalog();
  private readonly users = new Map<string, StoredUser>();
  readonly isAuthenticationRequired: boolean;

  /** @throws TypeError for a user without a name or a password; CommandError RoleNotFound for a role that is none */
  constructor(users: readonly EmbeddedUser[] = []) {
    this.isAuthenticationRequired = users.length > 0;
    for (const user of users) {
      const { name, password, db } =
        'user' in user
          ? { name: user.user, password: user.pwd, db: user.db }
          : { name: user.username, password: user.password, db: user.authSource };
      if (!name || !password) {
        throw new TypeError('Each of `users` needs a username and a password: { username: "ann", password: "…" }');
      }
      const home = db ?? 'admin';
      const roles = user.roles?.map((role) => (typeof role === 'string' ? { role, db: home } : role));
      if (roles) this.roles.require(roles);
      this.set(home, name, { password, roles: roles?.map(roleDoc) ?? ROOT });
    }
  }

  get all(): StoredUser[] {
    return [...this.users.values()];
  }

  find(db: string, user: string): StoredUser | undefined {
    return this.users.get(`${db}.${user}`);
  }

  /** Adds a user, or changes what is given of one there is; new passwords are for all mechanisms unless told. */
  set(db: string, user: string, change: UserChange): void {
    const known = this.find(db, user);
    const { password, mechanisms = SCRAM_MECHANISMS } = change;
    const secrets =
      password === undefined
        ? known!.secrets
        : new Map(mechanisms.map((mechanism) => [mechanism, secretOf(mechanism, user, password)] as const));
    this.users.set(`${db}.${user}`, {
      user,
      db,
      userId: known?.userId ?? uuidBytes(),
      customData: change.customData ?? known?.customData,
      secrets,
      roles: change.roles ?? known?.roles ?? [],
    });
  }

  /** What a user may do. */
  privilegesOf({ roles, db }: StoredUser): Privilege[] {
    return this.roles.privilegesOf(parseRoles(roles, db));
  }

  /** @returns how many there were */
  deleteAllOf(db: string): number {
    return this.all.filter((user) => user.db === db && this.delete(db, user.user)).length;
  }

  /** @returns whether there was such a user */
  delete(db: string, user: string): boolean {
    return this.users.delete(`${db}.${user}`);
  }
}
