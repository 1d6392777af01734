import { Binary, Timestamp } from 'bson';
import { decodeDoc } from '../../bson/decode.js';
import type { Doc, Value } from '../../bson/value.js';
import { unpackDescription } from '../../query/update/description.js';
import { timestampOf } from '../../storage/clock.js';
import { nsString } from '../../storage/namespace.js';
import type { OplogEntry } from '../../storage/oplog.js';
import { fieldsOf, int, long } from '../reply.js';
import { updateDiff } from './update-diff.js';

const uuidOf = (uuid: Uint8Array): Binary => new Binary(Buffer.from(uuid), Binary.SUBTYPE_UUID);

const ID_INDEX = (): Doc => fieldsOf({ v: int(2), key: fieldsOf({ _id: int(1) }), name: '_id_' });

/** The changes of one commit as documents of `local.oplog.rs`: those of a transaction are one. */
export function oplogDocs(commit: readonly OplogEntry[], term: bigint): Doc[] {
  const [first] = commit;
  const times = ({ ts, wallTimeMS }: OplogEntry): Record<string, Value> => ({
    ts: timestampOf(ts),
    t: term,
    v: long(2),
    wall: new Date(wallTimeMS),
  });
  const owner = first?.owner;
  if (!owner) return commit.map((entry) => fieldsOf({ ...operationOf(entry), ...times(entry) }));
  const { lsid, txnNumber } = owner;
  const noEarlier = fieldsOf({ ts: new Timestamp({ t: 0, i: 0 }), t: long(-1) });
  const o = fieldsOf({ applyOps: commit.map((entry) => fieldsOf(operationOf(entry))) });
  return [fieldsOf({ lsid, txnNumber, op: 'c', ns: 'admin.$cmd', o, ...times(first), prevOpTime: noEarlier })];
}

/** The entry that an oplog begins with. */
export const initiationDoc = (at: number, wall: Date, term: bigint): Doc =>
  fieldsOf({ op: 'n', ns: '', o: fieldsOf({ msg: 'initiating set' }), ts: timestampOf(at), t: term, v: long(2), wall });

type Operation = Record<string, Value | undefined>;

function operationOf(entry: OplogEntry): Operation {
  const ns = nsString(entry.ns);
  const ui = entry.uuid && uuidOf(entry.uuid);
  switch (entry.op) {
    case 'insert':
    case 'replace': {
      const o = decodeDoc(entry.after);
      return { op: entry.op === 'insert' ? 'i' : 'u', ns, ui, o, o2: fieldsOf({ _id: o.get('_id') }) };
    }
    case 'update':
      return { op: 'u', ns, ui, o: updateDiff(unpackDescription(entry.description)), o2: decodeDoc(entry.documentKey) };
    case 'delete':
      return { op: 'd', ns, ui, o: decodeDoc(entry.documentKey) };
    default:
      return { op: 'c', ns: `${entry.ns.db}.$cmd`, ui, ...commandOf(entry) };
  }
}

type CommandEntry = Exclude<OplogEntry, { op: 'insert' | 'replace' | 'update' | 'delete' }>;

function commandOf(entry: CommandEntry): { o: Doc; o2?: Doc } {
  const { coll } = entry.ns;
  switch (entry.op) {
    case 'create': {
      const idIndex = entry.options.has('viewOn') || entry.options.has('timeseries') ? undefined : ID_INDEX();
      return { o: fieldsOf({ create: coll, ...Object.fromEntries(entry.options), idIndex }) };
    }
    case 'drop':
      return { o: fieldsOf({ drop: coll }) };
    case 'dropDatabase':
      return { o: fieldsOf({ dropDatabase: int(1) }) };
    case 'rename': {
      const dropTarget = entry.dropTarget ? uuidOf(entry.dropTarget) : false;
      const [from, to] = [nsString(entry.ns), nsString(entry.to)];
      return { o: fieldsOf({ renameCollection: from, to, stayTemp: false, dropTarget }) };
    }
    case 'createIndexes': {
      const [only, ...more] = entry.indexes;
      if (only && more.length === 0) return { o: fieldsOf({ createIndexes: coll, ...Object.fromEntries(only) }) };
      return { o: fieldsOf({ commitIndexBuild: coll, indexes: [...entry.indexes] }) };
    }
    case 'dropIndexes': {
      const [first] = entry.indexes;
      return { o: fieldsOf({ dropIndexes: coll, index: first?.get('name') }), ...(first && { o2: first }) };
    }
    case 'modify':
      return { o: fieldsOf({ collMod: coll, ...Object.fromEntries(entry.changes) }), o2: entry.before };
  }
}
