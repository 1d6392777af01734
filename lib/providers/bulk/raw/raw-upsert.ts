import type { Database } from '../../databases/database.js';
import { type BsonElement, documentOf, elementAt, elementsOf } from '../codecs/bson-elements.js';
import { BsonType } from '../codecs/bson-types.js';
import type { RawBatch } from './raw-batch.js';
import { fatalErrorOf, retried, sendRaw, type WriteOptions } from './raw-command.js';
import { inParts, type RefusedDocument, type WriteOutcome } from './raw-parts.js';

/** The server's code for a name that begins with $ where there is none to be. */
const DOLLAR_PREFIXED = 52;
const TRUE = { type: BsonType.Boolean, value: Buffer.of(1) };

export interface UpsertOptions extends WriteOptions {
  /** Stop at the first document that is refused. */
  readonly isOrdered: boolean;
  /** By what a document is found whose place the new one takes; dots reach into documents. */
  readonly upsertFields: readonly string[];
}

/**
 * Writes raw BSON documents in the place of those with the same values of some fields, or beside them where there are
 * none. What a repeated attempt writes again is the same.
 * @throws the signal's reason
 */
export async function upsertRaw(
  database: Database,
  collection: string,
  batch: RawBatch,
  options: UpsertOptions,
): Promise<WriteOutcome> {
  return inParts(batch, options, (part) => upsertPart(database, collection, part.documents, options));
}

async function upsertPart(
  database: Database,
  collection: string,
  documents: readonly Buffer[],
  { isOrdered, upsertFields, ...options }: UpsertOptions,
): Promise<WriteOutcome> {
  const statements = documents.map((document) => statementOf(document, upsertFields));
  const refused: RefusedDocument[] = [...statements.keys()]
    .filter((index) => !statements[index])
    .map((index) => ({ index, code: DOLLAR_PREFIXED, message: 'a name begins with $, as those of commands do' }));
  const end = isOrdered && refused.length > 0 ? refused[0]!.index : statements.length;
  const places = [...statements.keys()].filter((index) => index < end && statements[index]);
  const pieces = places.map((index) => statements[index]!);
  const command = { update: collection, ordered: isOrdered };
  const send = () => sendRaw(database, command, 'updates', pieces, options);
  const { n, errors } = pieces.length > 0 ? await retried(options.signal, send) : { n: 0, errors: [] };
  const fatal = fatalErrorOf(errors);
  if (fatal) throw fatal;
  refused.push(...errors.map(({ index, code, errmsg }) => ({ index: places[index]!, code, message: errmsg })));
  refused.sort((a, b) => a.index - b.index);
  const told = isOrdered ? refused.slice(0, 1) : refused;
  const last = isOrdered && told[0] ? told[0].index : documents.length;
  const isRefused = new Set(told.map(({ index }) => index));
  const written = documents.filter((_, index) => index < last && !isRefused.has(index));
  const bytes = written.reduce((sum, document) => sum + document.length, 0);
  return { inserted: n, bytes, existing: [], refused: told };
}

/** The update that puts a document in its place; undefined where the server would take the document for commands. */
function statementOf(document: Buffer, fields: readonly string[]): Buffer | undefined {
  for (const { name } of elementsOf(document)) if (name.startsWith('$')) return undefined;
  const found = hasAny(document, fields) ? fields : ['_id'];
  // $eq: a value that looks like a query, or is a regular expression, is just a value.
  const query = found.map((name) => {
    const { type, value } = elementAt(document, name.split('.')) ?? NULL;
    return { name, type: BsonType.Document, value: documentOf([{ name: '$eq', type, value }]) };
  });
  return documentOf([
    { name: 'q', type: BsonType.Document, value: documentOf(query) },
    { name: 'u', type: BsonType.Document, value: document },
    { name: 'upsert', ...TRUE },
  ]);
}

const NULL: BsonElement = { name: '', type: BsonType.Null, value: Buffer.alloc(0) };

/** Whether a document can be found by the fields: others go by their `_id`. */
export const hasAny = (document: Uint8Array, fields: readonly string[]): boolean =>
  fields.some((name) => (elementAt(document, name.split('.')) ?? NULL).type !== BsonType.Null);
