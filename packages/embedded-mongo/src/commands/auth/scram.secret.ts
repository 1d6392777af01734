import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { saslprep } from '@mongodb-js/saslprep';

/** The mechanisms a user has by default, in the order the server lists them. */
export const SCRAM_MECHANISMS = ['SCRAM-SHA-1', 'SCRAM-SHA-256'] as const;
export type ScramMechanism = (typeof SCRAM_MECHANISMS)[number];

export const isScramMechanism = (name: unknown): name is ScramMechanism =>
  SCRAM_MECHANISMS.some((known) => known === name);

interface Kind {
  readonly hash: string;
  readonly iterations: number;
  readonly saltLength: number;
  readonly keyLength: number;
  /** What is derived from: SCRAM-SHA-1 salts MongoDB's older digest of the password (driver specification: auth). */
  prepare(user: string, password: string): string;
}

const KINDS: Readonly<Record<ScramMechanism, Kind>> = {
  'SCRAM-SHA-1': {
    hash: 'sha1',
    iterations: 10_000,
    saltLength: 16,
    keyLength: 20,
    prepare: (user, password) => createHash('md5').update(`${user}:mongo:${password}`).digest('hex'),
  },
  'SCRAM-SHA-256': {
    hash: 'sha256',
    iterations: 15_000,
    saltLength: 28,
    keyLength: 32,
    prepare: (_, password) => saslprep(password),
  },
};

/** What a server keeps of a password (RFC 5802, RFC 7677). */
export interface ScramSecret {
  readonly hash: string;
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

export const hmac = (hash: string, key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest();
export const digest = (hash: string, bytes: Buffer): Buffer => createHash(hash).update(bytes).digest();

export function secretOf(mechanism: ScramMechanism, user: string, password: string): ScramSecret {
  const { hash, iterations, saltLength, keyLength, prepare } = KINDS[mechanism];
  const salt = randomBytes(saltLength);
  const salted = pbkdf2Sync(prepare(user, password), salt, iterations, keyLength, hash);
  return {
    hash,
    salt,
    iterations,
    storedKey: digest(hash, hmac(hash, salted, 'Client Key')),
    serverKey: hmac(hash, salted, 'Server Key'),
  };
}
