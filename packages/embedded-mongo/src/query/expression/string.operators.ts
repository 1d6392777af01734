import { isNumeric } from '../../bson/number.js';
import { compareStrings } from '../../bson/compare.js';
import { int32, typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { named, type ArgumentRule } from './arguments.js';
import { display } from './display.js';
import { isNullish } from './operand.js';
import { binary, operator, unary, variadic, type Operand, type Operator, type OperatorFamily } from './operator.js';
import { assertLength, countPoints, offsetOfPoint, string, textOf } from './text.js';

const TRIM: ArgumentRule = {
  required: { input: [50695, "% requires an 'input' field"] },
  optional: ['chars'],
  notAnObject: [50696, (name, type) => `${name} only supports an object as an argument, found ${type}`],
  unknown: [50694, (name, field) => `${name} found an unknown argument: ${field}`],
};

const WHITESPACE = [...'\0 \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a'];

/** `$trim` and its halves: what they take off, whitespace by default. */
const trim = (isLeft: boolean, isRight: boolean): Operator =>
  named(TRIM, (values, _, name) => {
    const input = values.get('input');
    if (isNullish(input)) return null;
    if (typeof input !== 'string') {
      throw new CommandError(
        50699,
        `${name} requires its input to be a string, got ${display(input)} (of type ${typeName(input)}) instead.`,
      );
    }
    const chars = values.has('chars') ? values.get('chars') : undefined;
    if (values.has('chars') && isNullish(chars)) return null;
    if (chars !== undefined && typeof chars !== 'string') {
      throw new CommandError(
        50700,
        `${name} requires 'chars' to be a string, got ${display(chars)} (of type ${typeName(chars)}) instead.`,
      );
    }
    const off = new Set(chars === undefined ? WHITESPACE : [...chars]);
    let [start, end] = [0, input.length];
    while (isLeft && start < end) {
      const point = String.fromCodePoint(input.codePointAt(start) as number);
      if (!off.has(point)) break;
      start += point.length;
    }
    while (isRight && end > start) {
      const isPair = end - start > 1 && (input.codePointAt(end - 2) as number) > 0xffff;
      const point = input.slice(isPair ? end - 2 : end - 1, end);
      if (!off.has(point)) break;
      end -= point.length;
    }
    return input.slice(start, end);
  });

function substringOfBytes(operands: Operand[]): Value {
  const bytes = Buffer.from(textOf(operands[0]));
  const number = (value: Operand, code: number, which: string): number => {
    if (isNumeric(value)) return Math.trunc(Number(value));
    throw new CommandError(code, `$substrBytes:  ${which} must be a numeric type (is BSON type ${typeName(value)})`);
  };
  const start = number(operands[1], 16034, 'starting index');
  const length = number(operands[2], 16035, 'length');
  if (start < 0) {
    throw new CommandError(50752, `$substrBytes:  starting index must be non-negative (got: ${start})`);
  }
  const end = length < 0 ? bytes.length : Math.min(bytes.length, start + length);
  const isInside = (at: number): boolean => at < bytes.length && ((bytes[at] as number) & 0xc0) === 0x80;
  if (isInside(start)) {
    throw new CommandError(28656, '$substrBytes:  Invalid range, starting index is a UTF-8 continuation byte.');
  }
  if (isInside(end)) {
    throw new CommandError(28657, '$substrBytes:  Invalid range, ending index is in the middle of a UTF-8 character.');
  }
  return bytes.subarray(start, Math.max(start, end)).toString();
}

function substringOfPoints(operands: Operand[]): Value {
  const text = textOf(operands[0]);
  const number = (value: Operand, code: number, which: string): number => {
    if (!isNumeric(value)) {
      throw new CommandError(code, `$substrCP: ${which} must be a numeric type (is BSON type ${typeName(value)})`);
    }
    if (Number.isInteger(Number(value)) && Math.abs(Number(value)) <= 0x7fff_ffff) return Number(value);
    throw new CommandError(
      code + 1,
      `$substrCP: ${which} cannot be represented as a 32-bit integral value: ${display(value)}`,
    );
  };
  const start = number(operands[1], 34450, 'starting index');
  const length = number(operands[2], 34452, 'length');
  if (length < 0) throw new CommandError(34454, '$substrCP: length must be a nonnegative integer.');
  if (start < 0) throw new CommandError(34455, '$substrCP: the starting index must be nonnegative integer.');
  const from = offsetOfPoint(text, start);
  return text.slice(from, offsetOfPoint(text, length, from));
}

// MongoDB changes the case of ASCII letters only.
const upper = (text: string): string => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
const lower = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** String operators; those that search are in string-search.operators.ts and regex.operators.ts. */
export const stringOperators: OperatorFamily = {
  $concat: variadic((operands) => {
    let result = '';
    for (const operand of operands) {
      if (isNullish(operand)) return null;
      result += string(operand, 16702, '$concat only supports strings, not ');
      assertLength(result.length);
    }
    return result;
  }),
  $ltrim: trim(true, false),
  $rtrim: trim(false, true),
  $trim: trim(true, true),
  $strcasecmp: binary((a, b) => int32(compareStrings(upper(textOf(a)), upper(textOf(b))))),
  $strLenBytes: unary((value) =>
    int32(Buffer.byteLength(string(value, 34473, '$strLenBytes requires a string argument, found: '))),
  ),
  $strLenCP: unary((value) =>
    int32(countPoints(string(value, 34471, '$strLenCP requires a string argument, found: '))),
  ),
  $substr: operator(3, 3, substringOfBytes),
  $substrBytes: operator(3, 3, substringOfBytes),
  $substrCP: operator(3, 3, substringOfPoints),
  $toLower: unary((value) => lower(textOf(value))),
  $toUpper: unary((value) => upper(textOf(value))),
};
