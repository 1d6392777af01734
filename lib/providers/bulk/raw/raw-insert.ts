import type { Database } from '../../databases/database.js';
import { idOf, idValueOf } from './raw-document.js';
import { RawBatch } from './raw-batch.js';
import { fatalErrorOf, retried, sendRaw, type WriteError, type WriteOptions } from './raw-command.js';
import { inParts, type RefusedDocument, type WriteOutcome } from './raw-parts.js';
import { findMeasurements } from './time-series.js';

const DUPLICATE_KEY = 11000;

export interface InsertOptions extends WriteOptions {
  /** Stop at the first document that is refused. */
  readonly isOrdered: boolean;
  /** A document whose `_id` is there stays as it is and is no failure. */
  readonly keepExisting?: boolean;
  /** An earlier attempt may have inserted some of these: those that are there byte for byte are no failures. */
  readonly isRepeated?: boolean;
  /** Of a time series, which does not refuse documents that are there: they are looked up before. */
  readonly timeField?: string | undefined;
}

/**
 * Inserts raw BSON documents. They go to the server as they are. There are no retryable writes this
 * way, so an attempt whose answer was lost is repeated and told apart by `_id`.
 * @throws the signal's reason
 */
export async function insertRaw(
  database: Database,
  collection: string,
  batch: RawBatch,
  options: InsertOptions,
): Promise<WriteOutcome> {
  return inParts(batch, options, (part) => insertPart(database, collection, part, options));
}

async function insertPart(
  database: Database,
  collection: string,
  batch: RawBatch,
  options: InsertOptions,
): Promise<WriteOutcome> {
  const { isRepeated = false, signal } = options;
  return retried(signal, (attempt) =>
    insertMissing(database, collection, batch, { ...options, isRepeated: isRepeated || attempt > 1 }),
  );
}

async function insertMissing(
  database: Database,
  collection: string,
  batch: RawBatch,
  options: InsertOptions,
): Promise<WriteOutcome> {
  const { timeField, isRepeated, keepExisting } = options;
  if (timeField === undefined || !(isRepeated || keepExisting)) {
    return insertOnce(database, collection, batch, options);
  }
  const isStored = await findMeasurements(database, collection, timeField, batch.documents);
  const indexes = [...batch.documents.keys()];
  const existing = indexes.filter((index) => isStored(batch.documents[index]!));
  const missing = indexes.filter((index) => !isStored(batch.documents[index]!));
  if (missing.length === 0) return { inserted: 0, bytes: 0, existing, refused: [] };
  const part = new RawBatch(missing.map((index) => batch.documents[index]!));
  const outcome = await insertOnce(database, collection, part, options);
  return { ...outcome, existing, refused: outcome.refused.map((each) => ({ ...each, index: missing[each.index]! })) };
}

async function insertOnce(
  database: Database,
  collection: string,
  batch: RawBatch,
  options: InsertOptions,
): Promise<WriteOutcome> {
  const { isOrdered, keepExisting = false, isRepeated = false } = options;
  // Documents that are there may be many; only unordered does the server tell them all at once.
  const ordered = isOrdered && !keepExisting;
  const command = { insert: collection, ordered };
  const send = (pieces: readonly Buffer[]) => sendRaw(database, command, 'documents', pieces, options);
  let { n, errors } = await send(batch.pieces);
  if (errors.length === 0) return { inserted: n, bytes: batch.bytes, existing: [], refused: [] };

  const existing: number[] = [];
  const refused: RefusedDocument[] = [];
  let inserted = 0;
  let bytes = 0;
  let sent = batch.documents.map((document, index) => ({ document, index }));
  for (;;) {
    inserted += n;
    const fatal = fatalErrorOf(errors);
    if (fatal) throw fatal;
    const hasStopped = ordered && errors.length > 0;
    const asked = hasStopped ? sent.slice(errors[0]!.index) : errors.map(({ index }) => sent[index]!);
    const isStored =
      isRepeated && errors.some(isDuplicateId) ? await findStored(database, collection, asked) : () => false;
    const unsent = new Set(hasStopped ? asked : errors.map(({ index }) => sent[index]));
    for (const each of sent) if (!unsent.has(each)) bytes += each.document.length;
    const failed = new Set<number>();
    for (const error of errors) {
      const { document, index } = sent[error.index]!;
      if (isDuplicateId(error) && (keepExisting || isStored(document))) continue;
      failed.add(index);
      refused.push({ index, code: error.code, message: error.errmsg });
    }
    existing.push(
      ...asked
        .filter(({ index, document }) => !failed.has(index) && (keepExisting || isStored(document)))
        .map(({ index }) => index),
    );
    const rest = hasStopped && failed.size === 0 ? asked.filter(({ document }) => !isStored(document)) : [];
    if (rest.length === 0) return { inserted, bytes, existing, refused };
    const pieces = rest.map(({ document }) => document);
    ({ n, errors } = await send(pieces));
    sent = rest;
  }
}

/** Tells of documents whether they are in the collection byte for byte. */
async function findStored(
  database: Database,
  collection: string,
  asked: readonly { readonly document: Buffer }[],
): Promise<(document: Buffer) => boolean> {
  const ids = asked.map(({ document }) => idValueOf(document));
  const found = (await database.connection
    .collection(collection)
    .find({ _id: { $in: ids as never[] } }, { raw: true })
    .toArray()) as unknown as Buffer[];
  const stored = new Map(found.map((document) => [idOf(document), document]));
  return (document) => stored.get(idOf(document))?.equals(document) === true;
}

const isDuplicateId = ({ code, keyPattern, errmsg }: WriteError): boolean =>
  code === DUPLICATE_KEY && (keyPattern ? Object.keys(keyPattern).join() === '_id' : /index: _id_(?: |$)/.test(errmsg));
