import { asBuffer, decodeValue } from './decode.js';
import type { Value } from './value.js';

/** Sizes of the payloads that do not say their own, by type byte; -1 where the payload begins with a length. */
const FIXED: Readonly<Record<number, number>> = {
  0x01: 8,
  0x06: 0,
  0x07: 12,
  0x08: 1,
  0x09: 8,
  0x0a: 0,
  0x10: 4,
  0x11: 8,
  0x12: 8,
  0x13: 16,
  0x7f: 0,
  0xff: 0,
};

const int32At = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);

function payloadEnd(bytes: Uint8Array, type: number, at: number): number {
  const fixed = FIXED[type];
  if (fixed !== undefined) return at + fixed;
  switch (type) {
    case 0x02:
    case 0x0d:
    case 0x0e:
      return at + 4 + int32At(bytes, at);
    case 0x05:
      return at + 5 + int32At(bytes, at);
    case 0x0b:
      return bytes.indexOf(0, bytes.indexOf(0, at) + 1) + 1;
    case 0x0c:
      return at + 4 + int32At(bytes, at) + 12;
    default:
      return at + int32At(bytes, at);
  }
}

/** Whether the bytes from `at` to `end` are this name, which is one char a byte (`asByteString`). */
function isNamed(bytes: Uint8Array, at: number, end: number, name: string): boolean {
  if (end - at !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name.charCodeAt(i)) return false;
  return true;
}

const isAscii = (name: string): boolean => {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 0x7f) return false;
  return true;
};

/** A name's UTF-8 as one character a byte; nearly all names are that already. */
const asByteString = (name: string): string => (isAscii(name) ? name : Buffer.from(name).toString('latin1'));

/** Where a top-level field lies in a document: its type byte at `start`, its payload from `value` to `end`. */
export interface FieldRange {
  readonly start: number;
  readonly value: number;
  readonly end: number;
}

/** Finds a top-level field of a well-formed document by skipping over the ones before it. */
export function findField(bytes: Uint8Array, name: string): FieldRange | undefined {
  const wanted = asByteString(name);
  for (let start = 4; start < bytes.length - 1;) {
    let nameEnd = start + 1;
    while (bytes[nameEnd] !== 0) nameEnd++;
    const end = payloadEnd(bytes, bytes[start]!, nameEnd + 1);
    if (isNamed(bytes, start + 1, nameEnd, wanted)) return { start, value: nameEnd + 1, end };
    start = end;
  }
  return undefined;
}

/** A document of one top-level field of a well-formed document and no other; `undefined` when it has none of that name. */
export function extractField(source: Uint8Array, name: string): Uint8Array | undefined {
  const range = findField(source, name);
  if (!range) return undefined;
  const size = range.end - range.start + 5;
  const single = new Uint8Array(size);
  for (let i = 0; i < 4; i++) single[i] = (size >>> (8 * i)) & 0xff;
  single.set(source.subarray(range.start, range.end), 4);
  return single;
}

/** Decodes one top-level field of a well-formed document and no other; `undefined` when it has none of that name. */
export function decodeField(bytes: Uint8Array, name: string): Value | undefined {
  const range = findField(bytes, name);
  return range && decodeValue(bytes, range);
}

const NO_FIELDS = Uint8Array.of(5, 0, 0, 0, 0);

/** The bytes of a document of some top-level fields of a well-formed document, in its order. */
export function pickFields(source: Uint8Array, names: ReadonlySet<string>): Uint8Array {
  if (names.size === 0) return NO_FIELDS;
  const bytes = asBuffer(source);
  const picked = Buffer.allocUnsafe(bytes.length);
  let length = 4;
  for (let start = 4; start < bytes.length - 1;) {
    const nameEnd = bytes.indexOf(0, start + 1);
    const end = payloadEnd(bytes, bytes[start]!, nameEnd + 1);
    if (names.has(bytes.toString('utf8', start + 1, nameEnd))) length += bytes.copy(picked, length, start, end);
    start = end;
  }
  picked[length++] = 0;
  picked.writeInt32LE(length, 0);
  return picked.subarray(0, length);
}
