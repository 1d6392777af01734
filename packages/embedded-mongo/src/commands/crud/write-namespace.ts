import { CommandError } from '../../errors.js';
import { type Namespace, nsString } from '../../storage/namespace.js';
import type { Operation } from '../operation.js';
import { namespaceOf } from './namespace-argument.js';

/** The collections of the server's own that clients may make and write, by database (mongod: `isLegalClientSystemNS`). */
const OPEN_TO_CLIENTS: Readonly<Record<string, readonly string[]>> = {
  admin: ['roles', 'version', 'keys', 'backup_users', 'new_users'],
  config: ['sessions', 'indexBuilds', 'preimages', 'sharding_ddl_coordinators', 'configsvr_coordinators'],
  local: ['replset', 'healthlog'],
};
const OPEN_EVERYWHERE = ['users', 'js', 'views'];

const SYSTEM = 'system.';
const OPLOG = 'local.oplog.rs';

/** @throws CommandError InvalidNamespace (73) for a name of the server's own */
export function checkCreatable(ns: Namespace): void {
  const { db, coll } = ns;
  if (coll === 'system.profile' || nsString(ns) === OPLOG) return;
  if (coll.startsWith(SYSTEM)) {
    const name = coll.slice(SYSTEM.length);
    if (OPEN_EVERYWHERE.includes(name) || OPEN_TO_CLIENTS[db]?.includes(name) || name.startsWith('buckets.')) return;
    throw new CommandError('InvalidNamespace', `Invalid system namespace: ${nsString(ns)}`);
  }
  if (coll.includes(`.${SYSTEM}`)) throw new CommandError('InvalidNamespace', `Invalid namespace: ${nsString(ns)}`);
}

/** @throws CommandError InvalidNamespace (73) for a collection that only the server writes */
function checkWritable(ns: Namespace): void {
  if (['system.profile', 'system.views'].includes(ns.coll) || nsString(ns) === OPLOG) {
    throw new CommandError('InvalidNamespace', `cannot write to ${nsString(ns)}`);
  }
  checkCreatable(ns);
}

/** The collection that a write names as its first argument. @throws CommandError InvalidNamespace (73) */
export function writeNamespaceOf(op: Operation): Namespace {
  const ns = namespaceOf(op);
  checkWritable(ns);
  return ns;
}
