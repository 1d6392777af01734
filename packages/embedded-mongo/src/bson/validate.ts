import { CommandError } from '../errors.js';
import { MAX_DEPTH } from './decode.js';

const invalid = (message: string): CommandError => new CommandError('InvalidBSON', message);
const pastEnd = (): CommandError => invalid('BSON size is larger than buffer size');

const int32At = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);

/** What validating a document has shown on the way. */
export interface Validated {
  /** Whether a field outside of subdocuments is Timestamp(0, 0), which an insert fills in. */
  readonly hasEmptyTimestamp: boolean;
}

const NO_EMPTY_TIMESTAMP: Validated = { hasEmptyTimestamp: false };
const EMPTY_TIMESTAMP: Validated = { hasEmptyTimestamp: true };

let hasEmptyTimestamp = false;

/**
 * Walks a document's structure without decoding it.
 * @throws CommandError InvalidBSON (22) when it is malformed, Overflow (15) when nested deeper than 200
 */
export function validateDoc(bytes: Uint8Array): Validated {
  hasEmptyTimestamp = false;
  if (bytes.length < 5 || int32At(bytes, 0) !== bytes.length) throw invalid('incorrect BSON length');
  walk(bytes, 0, bytes.length, 0);
  return hasEmptyTimestamp ? EMPTY_TIMESTAMP : NO_EMPTY_TIMESTAMP;
}

/** Checks the document at `start` and gives the place after it. */
function walk(bytes: Uint8Array, start: number, limit: number, depth: number): number {
  if (depth > MAX_DEPTH) throw new CommandError('Overflow', 'BSONObj exceeds maximum nested object depth');
  if (start + 5 > limit) throw pastEnd();
  const size = int32At(bytes, start);
  const end = start + size;
  if (size < 5 || end > limit) throw pastEnd();
  if (bytes[end - 1] !== 0) throw invalid('BSON object not terminated with EOO');
  let at = start + 4;
  while (at < end - 1) {
    const type = bytes[at]!;
    at = bytes.indexOf(0, at + 1) + 1;
    if (at === 0 || at >= end) throw pastEnd();
    at = skip(bytes, type, at, end - 1, depth);
    if (at > end - 1) throw pastEnd();
  }
  return end;
}

function skip(bytes: Uint8Array, type: number, at: number, end: number, depth: number): number {
  switch (type) {
    case 0x01:
    case 0x09:
    case 0x12:
      return at + 8;
    case 0x11:
      if (depth === 0 && int32At(bytes, at) === 0 && int32At(bytes, at + 4) === 0) hasEmptyTimestamp = true;
      return at + 8;
    case 0x02:
    case 0x0d:
    case 0x0e:
      return skipString(bytes, at, end);
    case 0x03:
    case 0x04:
      return walk(bytes, at, end, depth + 1);
    case 0x05:
      if (at + 5 > end || int32At(bytes, at) < 0) throw pastEnd();
      return at + 5 + int32At(bytes, at);
    case 0x06:
    case 0x0a:
    case 0x7f:
    case 0xff:
      return at;
    case 0x07:
      return at + 12;
    case 0x08:
      if (bytes[at]! > 1) throw invalid('BSON bool is neither false nor true');
      return at + 1;
    case 0x0b:
      return skipName(bytes, skipName(bytes, at, end), end);
    case 0x0c:
      return skipString(bytes, at, end) + 12;
    case 0x0f: {
      const own = at + 4 > end ? -1 : int32At(bytes, at);
      if (own < 14 || at + own > end) throw pastEnd();
      return walk(bytes, skipString(bytes, at + 4, at + own), at + own, depth + 1);
    }
    case 0x10:
      return at + 4;
    case 0x13:
      return at + 16;
    default:
      throw invalid(`Unrecognized BSON type ${type}`);
  }
}

/** Where a top-level field lies: its type byte at `start`, its payload from `value` to `end`. */
export interface TopLevelField {
  readonly start: number;
  readonly value: number;
  readonly end: number;
}

/**
 * Finds a top-level field of a document that has not been validated, and does not look into the others.
 * @throws CommandError InvalidBSON (22)
 */
export function findTopLevelField(bytes: Uint8Array, name: string): TopLevelField | undefined {
  const end = bytes.length - 1;
  for (let start = 4; start < end;) {
    const value = bytes.indexOf(0, start + 1) + 1;
    if (value === 0 || value > end) throw pastEnd();
    const after = skipShallow(bytes, bytes[start]!, value, end);
    if (after > end) throw pastEnd();
    if (value - start - 2 === name.length && isNamed(bytes, start + 1, name)) return { start, value, end: after };
    start = after;
  }
  return undefined;
}

function skipShallow(bytes: Uint8Array, type: number, at: number, end: number): number {
  if (type !== 0x03 && type !== 0x04 && type !== 0x0f) return skip(bytes, type, at, end, 0);
  const size = at + 4 > end ? 0 : int32At(bytes, at);
  if (size < 5) throw pastEnd();
  return at + size;
}

function isNamed(bytes: Uint8Array, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name.charCodeAt(i)) return false;
  return true;
}

function skipString(bytes: Uint8Array, at: number, end: number): number {
  if (at + 5 > end) throw pastEnd();
  const length = int32At(bytes, at);
  const after = at + 4 + length;
  if (length < 1 || after > end) throw pastEnd();
  if (bytes[after - 1] !== 0) throw invalid('Not null terminated string');
  return after;
}

function skipName(bytes: Uint8Array, at: number, end: number): number {
  const after = bytes.indexOf(0, at) + 1;
  if (after === 0 || after > end) throw pastEnd();
  return after;
}
