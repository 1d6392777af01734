import { BSONSymbol, Code, Decimal128, Int32, Timestamp } from 'bson';
import { typeName } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { displayDouble } from './display.js';
import { isNullish } from './operand.js';
import type { Operand } from './operator.js';

/** The text of a value where MongoDB takes any scalar for a string; null and missing are empty. */
export function textOf(value: Operand): string {
  if (typeof value === 'string') return value;
  if (isNullish(value)) return '';
  if (typeof value === 'number') return displayDouble(value);
  if (typeof value === 'bigint' || value instanceof Int32 || value instanceof Decimal128) return value.toString();
  if (value instanceof BSONSymbol) return value.value;
  if (value instanceof Code) return String(value.code);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Timestamp) return `Timestamp(${value.t}, ${value.i})`;
  throw new CommandError(16007, `can't convert from BSON type ${typeName(value)} to String`);
}

/** How many code points a text has. */
export function countPoints(text: string, end = text.length): number {
  let count = 0;
  for (let i = 0; i < end; i += widthAt(text, i)) count++;
  return count;
}

/** Where the code point of a number begins; the text's length, where it has fewer. */
export function offsetOfPoint(text: string, points: number, from = 0): number {
  let at = from;
  for (let i = 0; i < points && at < text.length; i++) at += widthAt(text, at);
  return Math.min(at, text.length);
}

const widthAt = (text: string, at: number): 1 | 2 => ((text.codePointAt(at) as number) > 0xffff ? 2 : 1);

/** From this product of lengths on V8's own search may take seconds. */
const HARD_SEARCH = 2 ** 28;

/** A search for a text in others; takes as long as they are, however much they are alike. */
export function searcherOf(token: string, textLength: number): (text: string, from: number) => number {
  if (token.length < 8 || token.length * textLength < HARD_SEARCH) return (text, from) => text.indexOf(token, from);
  const borders = bordersOf(token);
  return (text, from) => {
    let matched = 0;
    for (let i = from; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      while (matched > 0 && token.charCodeAt(matched) !== unit) matched = borders[matched - 1] as number;
      if (token.charCodeAt(matched) === unit) matched++;
      if (matched === token.length) return i - matched + 1;
    }
    return -1;
  };
}

/** For each beginning of a text how much of it is both its beginning and its end (Knuth, Morris and Pratt). */
function bordersOf(token: string): Int32Array {
  const borders = new Int32Array(token.length);
  for (let i = 1, length = 0; i < token.length; i++) {
    while (length > 0 && token.charCodeAt(length) !== token.charCodeAt(i)) length = borders[length - 1] as number;
    if (token.charCodeAt(length) === token.charCodeAt(i)) length++;
    borders[i] = length;
  }
  return borders;
}

/** @throws CommandError unless the value is a string */
export function string(value: Operand, code: number, message: string): string {
  if (typeof value === 'string') return value;
  throw new CommandError(code, message + typeName(value));
}

/** mongod's BufferMaxSize. */
const MAX_TEXT_LENGTH = 64 * 1024 * 1024;

/** @throws CommandError 13548 for a text that no buffer of MongoDB's would hold */
export function assertLength(length: number): void {
  if (length <= MAX_TEXT_LENGTH) return;
  throw new CommandError(13548, `BufBuilder attempted to grow() to ${length} bytes, past the 64MB limit.`);
}
