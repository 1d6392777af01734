import { CommandError } from '../errors.js';

/** A database name and a collection name. */
export interface Namespace {
  readonly db: string;
  readonly coll: string;
}

/** `db.coll`, as errors, plans and change events print it. */
export const nsString = (ns: Namespace): string => `${ns.db}.${ns.coll}`;

/** Splits `db.coll` at its first dot. */
export const parseNs = (text: string): Namespace => {
  const dot = text.indexOf('.');
  return dot < 0 ? { db: text, coll: '' } : { db: text.slice(0, dot), coll: text.slice(dot + 1) };
};

const MAX_DB_BYTES = 63;
const MAX_NS_BYTES = 255;

/** @throws InvalidNamespace for a database name MongoDB refuses (manual: Naming Restrictions) */
export function checkDbName(db: string): void {
  if (db === '' || Buffer.byteLength(db) > MAX_DB_BYTES || /[/\\. "$\0]/.test(db)) {
    throw new CommandError('InvalidNamespace', `Invalid database name: '${db}'`);
  }
}

/** @throws InvalidNamespace for a collection name MongoDB refuses (manual: Naming Restrictions) */
export function checkNamespace(ns: Namespace): void {
  checkDbName(ns.db);
  const full = nsString(ns);
  if (ns.coll === '' || ns.coll.startsWith('.') || /[\0$]/.test(ns.coll)) {
    throw new CommandError('InvalidNamespace', `Invalid namespace specified '${full}'`);
  }
  if (Buffer.byteLength(full) > MAX_NS_BYTES) {
    throw new CommandError('InvalidNamespace', `Fully qualified namespace is too long. Namespace: ${full} Max: 255`);
  }
}
