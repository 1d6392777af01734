import { typeNameOfCode } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { asBuffer } from '../bson/decode.js';
import { findTopLevelField } from '../bson/validate.js';
import type { RequestMessage } from './request.js';

const OBJECT = 0x03;
const ARRAY = 0x04;
const EMPTY_DOCUMENT_LENGTH = 5;

export interface SplitRequest {
  /** The command without its documents. */
  readonly rest: Uint8Array;
  /** The documents of an insert as they came, still in the socket's memory; undefined for other commands. */
  readonly documents: Uint8Array[] | undefined;
}

/** Takes an insert's documents out of its body, so that they are never decoded and encoded again. */
export function splitDocuments({ body, sequences }: RequestMessage): SplitRequest {
  if (!isInsert(body)) return { rest: body, documents: undefined };
  const sequence = sequences.get('documents');
  if (sequence) return { rest: body, documents: sequence };
  const range = findTopLevelField(body, 'documents');
  if (!range || body[range.start] !== ARRAY) return { rest: body, documents: undefined };
  const rest = Buffer.allocUnsafe(body.length - (range.end - range.start));
  rest.set(body.subarray(0, range.start), 0);
  rest.set(body.subarray(range.end), range.start);
  rest.writeInt32LE(rest.length, 0);
  return { rest, documents: documentsOf(asBuffer(body), range.value, range.end) };
}

/** Whether the first field is `insert`. */
function isInsert(body: Uint8Array): boolean {
  const NAME = [0x69, 0x6e, 0x73, 0x65, 0x72, 0x74, 0x00];
  return NAME.every((byte, i) => body[5 + i] === byte);
}

function documentsOf(body: Buffer, start: number, end: number): Uint8Array[] {
  const documents: Uint8Array[] = [];
  for (let at = start + 4; at < end - 1;) {
    if (body[at] !== OBJECT) {
      throw new CommandError(
        'TypeMismatch',
        `BSON field 'insert.documents.${documents.length}' is the wrong type '${typeNameOfCode(body[at]!) ?? 'unknown'}', expected type 'object'`,
      );
    }
    const value = body.indexOf(0, at) + 1;
    const length = value + 4 <= end ? body.readInt32LE(value) : 0;
    if (value === 0 || length < EMPTY_DOCUMENT_LENGTH || value + length > end) {
      throw new CommandError('InvalidBSON', "BSON field 'insert.documents' is malformed");
    }
    documents.push(body.subarray(value, value + length));
    at = value + length;
  }
  return documents;
}
