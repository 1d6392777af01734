import { Timestamp } from 'bson';
import type { Doc } from '../../bson/value.js';
import { type Tick, tickOf, timestampOf } from '../../storage/clock.js';
import type { Namespace } from '../../storage/namespace.js';
import type { OplogEntry } from '../../storage/oplog.js';
import { conjunctionOf } from '../../storage/plan/predicate.js';
import type { MongoServer } from '../server.js';
import { initiationDoc, oplogDocs } from './oplog-entry.js';

/** The name that a replica set's oplog is read by. */
export const OPLOG: Namespace = { db: 'local', coll: 'oplog.rs' };

export const isOplog = ({ db, coll }: Partial<Namespace>): boolean => db === OPLOG.db && coll === OPLOG.coll;

/** What other members would copy: not what is this server's own (manual: Replica Set Oplog). */
export const isReplicated = ({ ns }: OplogEntry): boolean => ns.db !== 'local' && ns.coll !== 'system.profile';

/** The documents of the oplog from a time on, the newest first when `isReversed`. */
export function* readOplog(
  { storage, topology, startedAt }: MongoServer,
  from: Tick,
  isReversed = false,
): Generator<Doc> {
  const term = topology.opTime(timestampOf(0)).get('t') as bigint;
  const first =
    storage.oplog.covers(0) && from <= storage.clock.first ? [initiationDoc(storage.clock.first, startedAt, term)] : [];
  if (!isReversed) yield* first;
  for (const commit of storage.oplog.commits(from, isReversed)) {
    const replicated = commit.filter(isReplicated);
    if (replicated.length === 0) continue;
    const docs = oplogDocs(replicated, term);
    yield* isReversed ? docs.reverse() : docs;
  }
  if (isReversed) yield* first;
}

/** The least time a filter lets pass, as far as it tells one. */
export function startOf(filter: Doc): Tick {
  const times = conjunctionOf(filter).predicates.flatMap(({ path, operator, operand }) =>
    path === 'ts' && ['$gt', '$gte', '$eq'].includes(operator) && operand instanceof Timestamp ? [tickOf(operand)] : [],
  );
  return times.reduce((latest, time) => Math.max(latest, time), 0);
}
