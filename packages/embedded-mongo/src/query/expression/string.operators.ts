import { isNumeric } from '../../bson/number.js';
import { compareStrings } from '../../bson/compare.js';
import { int32, typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { searchIndex } from './array.operators.js';
import { named, type ArgumentRule } from './arguments.js';
import { display } from './display.js';
import { isNullish } from './operand.js';
import { binary, operator, unary, variadic, type Operand, type Operator, type OperatorFamily } from './operator.js';
import { textOf } from './text.js';

const TRIM: ArgumentRule = {
  required: { input: [50695, "% requires an 'input' field"] },
  optional: ['chars'],
  notAnObject: [50696, (name, type) => `${name} only supports an object as an argument, found ${type}`],
  unknown: [50694, (name, field) => `${name} found an unknown argument: ${field}`],
};

const REPLACE: ArgumentRule = {
  required: {
    input: [51749, "% requires 'input' to be specified"],
    find: [51748, "% requires 'find' to be specified"],
    replacement: [51747, "% requires 'replacement' to be specified"],
  },
  notAnObject: [51751, (name, type) => `${name} requires an object as an argument, found: ${type}`],
  unknown: [51750, (name, field) => `${name} found an unknown argument: ${field}`],
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
    const points = [...input];
    let [start, end] = [0, points.length];
    while (isLeft && start < end && off.has(points[start] as string)) start++;
    while (isRight && end > start && off.has(points[end - 1] as string)) end--;
    return points.slice(start, end).join('');
  });

const replace = (code: number, substitute: (input: string, find: string, by: string) => string): Operator =>
  named(REPLACE, (values, _, name) => {
    const fields = ['input', 'find', 'replacement'];
    const texts = fields.map((field, i): string | undefined => {
      const text = values.get(field);
      if (isNullish(text)) return undefined;
      if (typeof text === 'string') return text;
      throw new CommandError(code - i, `${name} requires that '${field}' be a string, found: ${display(text)}`);
    });
    const [input, find, by] = texts;
    if (input === undefined || find === undefined || by === undefined) return null;
    return substitute(input, find, by);
  });

function string(value: Operand, code: number, message: string): string {
  if (typeof value === 'string') return value;
  throw new CommandError(code, message + typeName(value));
}

/** mongod's BufferMaxSize. */
const MAX_TEXT_LENGTH = 64 * 1024 * 1024;

/** @throws CommandError 13548 for a text that no buffer of MongoDB's would hold */
function assertLength(length: number): void {
  if (length <= MAX_TEXT_LENGTH) return;
  throw new CommandError(13548, `BufBuilder attempted to grow() to ${length} bytes, past the 64MB limit.`);
}

/** Where a string occurs in another, counted in units that `units` splits a string into. */
const indexOf = (codes: readonly [number, number], units: (text: string) => readonly (string | number)[]): Operator =>
  operator(2, 4, (operands, _, name) => {
    if (isNullish(operands[0])) return null;
    const input = units(string(operands[0], codes[0], `${name} requires a string as the first argument, found: `));
    const token = units(string(operands[1], codes[1], `${name} requires a string as the second argument, found: `));
    const start = operands.length > 2 ? searchIndex(operands[2], name, 'starting index') : 0;
    const stop = Math.min(
      input.length,
      operands.length > 3 ? searchIndex(operands[3], name, 'ending index') : Infinity,
    );
    if (start > input.length || stop < start) return int32(-1);
    for (let i = start; i + token.length <= stop; i++) {
      if (token.every((unit, j) => unit === input[i + j])) return int32(i);
    }
    return int32(-1);
  });

function split(input: Operand, separator: Operand): Operand {
  if (isNullish(input) || isNullish(separator)) return null;
  const message = (which: string): string =>
    `$split requires an expression that evaluates to a string as a ${which} argument, found: `;
  const text = string(input, 40085, message('first'));
  const by = string(separator, 40086, message('second'));
  if (by === '') throw new CommandError(40087, '$split requires a non-empty separator');
  return text.split(by);
}

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
  const points = [...textOf(operands[0])];
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
  return points.slice(start, start + length).join('');
}

// MongoDB changes the case of ASCII letters only.
const upper = (text: string): string => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
const lower = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** String operators; those with a regular expression are in regex.operators.ts. */
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
  $indexOfBytes: indexOf([40091, 40092], (text) => [...Buffer.from(text)]),
  $indexOfCP: indexOf([40093, 40094], (text) => [...text]),
  $ltrim: trim(true, false),
  $rtrim: trim(false, true),
  $trim: trim(true, true),
  $replaceOne: replace(51746, (input, find, by) => {
    const at = input.indexOf(find);
    return at < 0 ? input : input.slice(0, at) + by + input.slice(at + find.length);
  }),
  $replaceAll: replace(51746, (input, find, by) => {
    if (by.length > find.length)
      assertLength(input.length + (input.split(find).length - 1) * (by.length - find.length));
    return input.replaceAll(find, () => by);
  }),
  $split: binary(split),
  $strcasecmp: binary((a, b) => int32(compareStrings(upper(textOf(a)), upper(textOf(b))))),
  $strLenBytes: unary((value) =>
    int32(Buffer.byteLength(string(value, 34473, '$strLenBytes requires a string argument, found: '))),
  ),
  $strLenCP: unary((value) => int32([...string(value, 34471, '$strLenCP requires a string argument, found: ')].length)),
  $substr: operator(3, 3, substringOfBytes),
  $substrBytes: operator(3, 3, substringOfBytes),
  $substrCP: operator(3, 3, substringOfPoints),
  $toLower: unary((value) => lower(textOf(value))),
  $toUpper: unary((value) => upper(textOf(value))),
};
