import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { saslprep } from '@mongodb-js/saslprep';
import type { Value } from '../../bson/value.js';
import { fieldsOf } from '../reply.js';

const ITERATIONS = 15_000;
const KEY_LENGTH = 32;
const SALT_LENGTH = 28;

/** A user of `EmbeddedMongo.start`: named as in a connection's options, or as `createUser` names it. */
export type EmbeddedUser =
  | {
      readonly username: string;
      readonly password: string;
      /** The database it authenticates against; default `admin`. */
      readonly authSource?: string;
    }
  | { readonly user: string; readonly pwd: string; readonly db?: string };

/** What a server keeps of a password for SCRAM-SHA-256 (RFC 5802, RFC 7677). */
export interface ScramSecret {
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

export const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
export const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

function secretOf(password: string): ScramSecret {
  const salt = randomBytes(SALT_LENGTH);
  const salted = pbkdf2Sync(saslprep(password), salt, ITERATIONS, KEY_LENGTH, 'sha256');
  return {
    salt,
    iterations: ITERATIONS,
    storedKey: sha256(hmac(salted, 'Client Key')),
    serverKey: hmac(salted, 'Server Key'),
  };
}

/** A user as `usersInfo` knows it. */
export interface StoredUser {
  readonly user: string;
  readonly db: string;
  readonly secret: ScramSecret;
  readonly roles: Value[];
}

const ROOT: Value[] = [fieldsOf({ role: 'root', db: 'admin' })];

/** The users of a server, and whether clients have to be one of them. */
export class Credentials {
  private readonly users = new Map<string, StoredUser>();
  readonly isAuthenticationRequired: boolean;

  /** @throws TypeError for a user without a name or a password */
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
      this.set(db ?? 'admin', name, password, ROOT);
    }
  }

  get all(): StoredUser[] {
    return [...this.users.values()];
  }

  find(db: string, user: string): StoredUser | undefined {
    return this.users.get(`${db}.${user}`);
  }

  /** Adds a user, or changes what is given of one there is. */
  set(db: string, user: string, password: string | undefined, roles: Value[] | undefined): void {
    const known = this.find(db, user);
    const secret = password === undefined ? known!.secret : secretOf(password);
    this.users.set(`${db}.${user}`, { user, db, secret, roles: roles ?? known?.roles ?? [] });
  }

  /** @returns whether there was such a user */
  delete(db: string, user: string): boolean {
    return this.users.delete(`${db}.${user}`);
  }
}
