import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { saslprep } from '@mongodb-js/saslprep';

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

/** The users a server was started with. */
export class Credentials {
  private readonly secrets = new Map<string, ScramSecret>();

  constructor(users: readonly EmbeddedUser[]) {
    for (const user of users) {
      const {
        name,
        password,
        db = 'admin',
      } = 'user' in user
        ? { name: user.user, password: user.pwd, db: user.db }
        : { name: user.username, password: user.password, db: user.authSource };
      if (!name || !password) {
        throw new TypeError('Each of `users` needs a username and a password: { username: "ann", password: "…" }');
      }
      this.secrets.set(`${db}.${name}`, secretOf(password));
    }
  }

  find(db: string, user: string): ScramSecret | undefined {
    return this.secrets.get(`${db}.${user}`);
  }
}
