import type { Doc } from '../../bson/value.js';
import { LATEST } from '../../storage/read-view.js';
import { type Namespace, nsString } from '../../storage/namespace.js';
import type { Tick } from '../../storage/clock.js';
import { isOplog, readOplog } from '../oplog/oplog.js';
import { fieldsOf } from '../reply.js';
import type { MongoServer } from '../server.js';

const VIEWS = 'system.views';

/** Whether a collection's documents are made when it is read: no client can write them. */
export const isMadeWhenRead = (ns: Partial<Namespace>): ns is Namespace => isOplog(ns) || ns.coll === VIEWS;

export interface SystemRead {
  /** Of the oplog: nothing earlier is asked for. */
  readonly from?: Tick;
  /** From the end to the beginning. */
  readonly isReversed?: boolean;
}

/** The documents of such a collection. */
export function readMade(
  server: MongoServer,
  ns: Namespace,
  { from = 0, isReversed = false }: SystemRead = {},
): Iterable<Doc> {
  if (isOplog(ns)) return readOplog(server, from, isReversed);
  const views = viewsOf(server, ns.db);
  return isReversed ? views.reverse() : views;
}

/** The views of a database as it keeps them in `system.views`. */
const viewsOf = ({ storage }: MongoServer, db: string): Doc[] =>
  storage.catalog
    .list(db, LATEST)
    .filter(({ kind }) => kind === 'view')
    .map(({ ns, options }) => fieldsOf({ _id: nsString(ns), ...Object.fromEntries(options) }));
