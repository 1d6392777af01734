import { Binary } from 'bson';
import { CommandError } from '../../errors.js';
import { decodeDoc } from '../../bson/decode.js';
import type { Doc, Value } from '../../bson/value.js';
import { timestampOf } from '../../storage/clock.js';
import type { Namespace } from '../../storage/namespace.js';
import type { OplogEntry } from '../../storage/oplog.js';
import { fieldsOf, int } from '../reply.js';
import type { ChangeStreamOptions } from './change-stream.options.js';
import type { StreamPosition } from './resume-token.js';
import { resumeToken } from './resume-token.js';
import { unpackDescription, type UpdateDescription } from '../../query/update/description.js';

/** A change as a stream shows it, and its place. */
export interface ChangeEvent {
  readonly doc: Doc;
  readonly position: StreamPosition;
}

/** Reads the current state of the document an update was made to (`fullDocument: "updateLookup"`). */
export type LookUp = (uuid: Uint8Array | undefined, ns: Namespace, id: Value) => Doc | undefined;

const EXPANDED = new Set(['create', 'createIndexes', 'dropIndexes', 'modify']);

/** The event of a change; undefined for those only `showExpandedEvents` shows. */
export function changeEvent(entry: OplogEntry, options: ChangeStreamOptions, lookUp: LookUp): ChangeEvent | undefined {
  if (EXPANDED.has(entry.op) && !options.showsExpandedEvents) return undefined;
  const position: StreamPosition = { ts: entry.ts, txnOpIndex: entry.txnOpIndex, kind: 'event' };
  const doc: Doc = new Map(head(entry, position, entry.op));
  const isExpanded = options.showsExpandedEvents;
  if (isExpanded && entry.uuid) doc.set('collectionUUID', uuidOf(entry.uuid));
  doc.set('wallTime', new Date(entry.wallTimeMS));
  if (entry.owner) {
    doc.set('lsid', entry.owner.lsid);
    doc.set('txnNumber', entry.owner.txnNumber);
  }
  for (const [name, value] of body(entry, options, lookUp)) doc.set(name, value);
  return { doc, position };
}

/** The event after which a stream ends. */
export function invalidateEvent(cause: OplogEntry): ChangeEvent {
  const position: StreamPosition = { ts: cause.ts, txnOpIndex: cause.txnOpIndex, kind: 'invalidate' };
  const doc: Doc = new Map(head(cause, position, 'invalidate'));
  doc.set('wallTime', new Date(cause.wallTimeMS));
  return { doc, position };
}

function head(entry: OplogEntry, position: StreamPosition, type: string): [string, Value][] {
  return [
    ['_id', resumeToken(position)],
    ['operationType', type],
    ['clusterTime', timestampOf(entry.ts)],
  ];
}

const uuidOf = (uuid: Uint8Array): Binary => new Binary(Buffer.from(uuid), Binary.SUBTYPE_UUID);
const nsDoc = ({ db, coll }: Namespace): Doc => fieldsOf({ db, coll: coll === '' ? undefined : coll });
const keyOf = (doc: Doc): Doc => fieldsOf({ _id: doc.get('_id') });

function body(entry: OplogEntry, options: ChangeStreamOptions, lookUp: LookUp): Doc {
  const ns = nsDoc(entry.ns);
  const isExpanded = options.showsExpandedEvents;
  switch (entry.op) {
    case 'insert': {
      const fullDocument = decodeDoc(entry.after);
      return fieldsOf({ fullDocument, ns, documentKey: keyOf(fullDocument) });
    }
    case 'replace': {
      const fullDocument = decodeDoc(entry.after);
      const fullDocumentBeforeChange = preImage(entry, options);
      return fieldsOf({ fullDocument, ns, documentKey: keyOf(fullDocument), fullDocumentBeforeChange });
    }
    case 'update': {
      const documentKey = decodeDoc(entry.documentKey);
      return fieldsOf({
        fullDocument: postImage(entry, documentKey, options, lookUp),
        ns,
        documentKey,
        updateDescription: descriptionDoc(unpackDescription(entry.description), isExpanded),
        fullDocumentBeforeChange: preImage(entry, options),
      });
    }
    case 'delete': {
      const fullDocumentBeforeChange = preImage(entry, options);
      return fieldsOf({ ns, documentKey: decodeDoc(entry.documentKey), fullDocumentBeforeChange });
    }
    case 'rename': {
      const to = nsDoc(entry.to);
      const dropTarget = entry.dropTarget && uuidOf(entry.dropTarget);
      return fieldsOf({ ns, to, operationDescription: isExpanded ? fieldsOf({ to, dropTarget }) : undefined });
    }
    case 'create': {
      const isView = entry.options.has('viewOn');
      return fieldsOf({
        ns,
        operationDescription: isView
          ? entry.options
          : new Map<string, Value>([
              ...entry.options,
              ['idIndex', fieldsOf({ v: int(2), key: fieldsOf({ _id: int(1) }), name: '_id_' })],
            ]),
      });
    }
    case 'createIndexes':
    case 'dropIndexes':
      return fieldsOf({ ns, operationDescription: fieldsOf({ indexes: [...entry.indexes] }) });
    case 'modify':
      return fieldsOf({ ns, operationDescription: entry.changes, stateBeforeChange: entry.before });
    case 'drop':
    case 'dropDatabase':
      return fieldsOf({ ns });
  }
}

type ImagedEntry = Extract<OplogEntry, { op: 'replace' | 'update' | 'delete' }>;

function preImage(entry: ImagedEntry, { fullDocumentBeforeChange }: ChangeStreamOptions): Doc | null | undefined {
  if (fullDocumentBeforeChange === 'off') return undefined;
  if (entry.preImage) return decodeDoc(entry.preImage);
  if (fullDocumentBeforeChange === 'whenAvailable') return null;
  throw new CommandError(
    'NoMatchingDocument',
    'Change stream was configured to require a pre-image for all update, delete and replace events, but the pre-image was not found for an event',
  );
}

function postImage(
  entry: Extract<OplogEntry, { op: 'update' }>,
  documentKey: Doc,
  { fullDocument }: ChangeStreamOptions,
  lookUp: LookUp,
): Doc | null | undefined {
  switch (fullDocument) {
    case 'default':
      return undefined;
    case 'updateLookup':
      return lookUp(entry.uuid, entry.ns, documentKey.get('_id')!) ?? null;
    default:
      if (entry.postImage) return decodeDoc(entry.postImage);
      if (fullDocument === 'whenAvailable') return null;
      throw new CommandError(
        'NoMatchingDocument',
        'Change stream was configured to require a post-image for all update events, but the post-image was not found for an event',
      );
  }
}

function descriptionDoc(description: UpdateDescription, isExpanded: boolean): Doc {
  const { updatedFields, removedFields, truncatedArrays, disambiguatedPaths } = description;
  return fieldsOf({
    updatedFields,
    removedFields,
    truncatedArrays,
    disambiguatedPaths: isExpanded ? disambiguatedPaths : undefined,
  });
}
