import type { mongo } from 'mongoose';
import type { Database } from '../../databases/database.js';
import { RETRYABLE_CODES } from '../../pools/retryable.codes.js';
import { decodeRaw, encodeRaw, idOf, idValueOf, splitDocuments } from './raw-document.js';
import { findDocumentSequence } from '../../native/document-sequence.private.js';
import { RawBatch } from './raw-batch.js';
import { findMeasurements } from './time-series.js';

const DUPLICATE_KEY = 11000;
/** The driver copies a command three times on its way: a batch of 16 MB goes in several. */
const COMMAND_BYTES = 4 * 1024 * 1024;
const ATTEMPTS = 5;
const FIRST_DELAY_MS = 100;
/** Nothing further can be written, whatever the document. */
const FATAL_CODES: ReadonlySet<unknown> = new Set([13, 18, 50, 14031, ...RETRYABLE_CODES]);

/** A document the server refused. */
interface RefusedDocument {
  /** Its place in the batch. */
  readonly index: number;
  readonly code: number;
  readonly message: string;
}

/** What became of a batch. */
export interface InsertOutcome {
  readonly inserted: number;
  /** Bytes of those inserted. */
  readonly bytes: number;
  /** Places in the batch of documents that were there already, byte for byte or, with `keepExisting`, by their `_id`. */
  readonly existing: readonly number[];
  readonly refused: readonly RefusedDocument[];
  /** What ended it: from place `index` on nothing is surely written. */
  readonly failure?: { readonly index: number; readonly error: unknown };
}

export interface InsertOptions {
  /** Stop at the first document that is refused. */
  readonly isOrdered: boolean;
  /** A document whose `_id` is there stays as it is and is no failure. */
  readonly keepExisting?: boolean;
  /** An earlier attempt may have inserted some of these: those that are there byte for byte are no failures. */
  readonly isRepeated?: boolean;
  /** Of a time series, which does not refuse documents that are there: they are looked up before. */
  readonly timeField?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Documents need not be what the collection's validator asks for. */
  readonly bypassDocumentValidation?: boolean | undefined;
  /** Called before anything is sent; what it throws ends it. */
  readonly guard?: (() => void) | undefined;
}

interface WriteError {
  readonly index: number;
  readonly code: number;
  readonly errmsg: string;
  readonly keyPattern?: mongo.BSON.Document;
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
): Promise<InsertOutcome> {
  const outcome = { inserted: 0, bytes: 0, existing: [] as number[], refused: [] as RefusedDocument[] };
  if (batch.length === 0) return outcome;
  let first = 0;
  for (const part of batch.parts(COMMAND_BYTES)) {
    try {
      const { inserted, bytes, existing, refused } = await insertPart(database, collection, part, options);
      outcome.inserted += inserted;
      outcome.bytes += bytes;
      for (const index of existing) outcome.existing.push(first + index);
      for (const each of refused) outcome.refused.push({ ...each, index: first + each.index });
      if (options.isOrdered && refused.length > 0) break;
    } catch (error) {
      options.signal?.throwIfAborted();
      return { ...outcome, failure: { index: first, error } };
    }
    first += part.length;
  }
  return outcome;
}

async function insertPart(
  database: Database,
  collection: string,
  batch: RawBatch,
  options: InsertOptions,
): Promise<InsertOutcome> {
  let { isRepeated = false } = options;
  for (let attempt = 1; ; attempt++) {
    options.signal?.throwIfAborted();
    try {
      return await insertMissing(database, collection, batch, { ...options, isRepeated });
    } catch (error) {
      if (attempt === ATTEMPTS || !isRetryable(error)) throw error;
      isRepeated = true;
      await new Promise((resolve) => setTimeout(resolve, FIRST_DELAY_MS * 2 ** (attempt - 1)));
    }
  }
}

async function insertMissing(
  database: Database,
  collection: string,
  batch: RawBatch,
  options: InsertOptions,
): Promise<InsertOutcome> {
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
): Promise<InsertOutcome> {
  const { isOrdered, keepExisting = false, isRepeated = false } = options;
  // Documents that are there may be many; only unordered does the server tell them all at once.
  const ordered = isOrdered && !keepExisting;
  const send = (pieces: readonly Buffer[]) => sendInsert(database, collection, pieces, ordered, options);
  let { n, errors } = await send(batch.pieces);
  if (errors.length === 0) return { inserted: n, bytes: batch.bytes, existing: [], refused: [] };

  const existing: number[] = [];
  const refused: RefusedDocument[] = [];
  let inserted = 0;
  let bytes = 0;
  let sent = batch.documents.map((document, index) => ({ document, index }));
  for (;;) {
    inserted += n;
    const fatal = errors.find(({ code }) => FATAL_CODES.has(code));
    if (fatal) throw Object.assign(new Error(fatal.errmsg), { code: fatal.code });
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

async function sendInsert(
  database: Database,
  collection: string,
  pieces: readonly Buffer[],
  ordered: boolean,
  { bypassDocumentValidation = false, guard }: InsertOptions,
): Promise<{ n: number; errors: readonly WriteError[] }> {
  const bypass = bypassDocumentValidation ? { bypassDocumentValidation } : {};
  const command = { insert: collection, ordered, ...bypass, documents: sequenceOf(pieces) };
  guard?.();
  const reply = await database.run(() => database.send(async () => database.native.command(command)));
  const concern = reply['writeConcernError'] as { code: number; errmsg: string } | undefined;
  if (concern) throw Object.assign(new Error(concern.errmsg), { code: concern.code });
  return { n: reply['n'] as number, errors: (reply['writeErrors'] as WriteError[] | undefined) ?? [] };
}

function sequenceOf(pieces: readonly Buffer[]): object {
  const Sequence = findDocumentSequence();
  if (!Sequence) return pieces.flatMap(splitDocuments).map(decodeExactly);
  const sequence = new Sequence('documents');
  for (const piece of pieces) sequence.push(piece, piece);
  return sequence;
}

function decodeExactly(document: Buffer): mongo.BSON.Document {
  const decoded = decodeRaw(document);
  if (!encodeRaw(decoded).equals(document)) {
    throw new Error(
      'a document cannot be held as a JavaScript object (duplicate or integer-like field names), and this build of the ' +
        'driver takes no raw documents: run outside of a bundle',
    );
  }
  return decoded;
}

/** Not where no server was found: that has been waited for already. */
function isRetryable(error: unknown): boolean {
  const { name, code } = error as { name?: string; code?: unknown };
  return RETRYABLE_CODES.has(code) || /^Mongo(Network|PoolCleared)/.test(name ?? '');
}
