import { int32 } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { ELEMENT_BYTES, exceeded, MEMORY_LIMIT } from '../memory.js';
import { spend } from '../../bson/work.js';
import { searchIndex } from './array.operators.js';
import { named, type ArgumentRule } from './arguments.js';
import { display } from './display.js';
import { isNullish } from './operand.js';
import { binary, operator, type Operand, type Operator, type OperatorFamily } from './operator.js';
import { assertLength, countPoints, offsetOfPoint, searcherOf, string } from './text.js';

const REPLACE: ArgumentRule = {
  required: {
    input: [51749, "% requires 'input' to be specified"],
    find: [51748, "% requires 'find' to be specified"],
    replacement: [51747, "% requires 'replacement' to be specified"],
  },
  notAnObject: [51751, (name, type) => `${name} requires an object as an argument, found: ${type}`],
  unknown: [51750, (name, field) => `${name} found an unknown argument: ${field}`],
};

const replace = (code: number, substitute: (input: string, find: string, by: string) => string): Operator =>
  named(REPLACE, (values, _context, name) => {
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

/** What `$indexOf…` counts in: the text as one in which each of them is a number of code units. */
interface Units {
  /** How many there are in the first `end` code units, or in all. */
  count(text: string, end?: number): number;
  /** Where the unit of a number begins. */
  offset(text: string, units: number): number;
  /** What is searched. */
  searched(text: string): string;
}

const POINTS: Units = { count: countPoints, offset: offsetOfPoint, searched: (text) => text };
/** Each byte is a character of Latin-1. */
const BYTES: Units = {
  count: (text, end = text.length) => end,
  offset: (_, units) => units,
  searched: (text) => Buffer.from(text).toString('latin1'),
};

/** Where a string occurs in another. */
const indexOf = (codes: readonly [number, number], units: Units): Operator =>
  operator(2, 4, (operands, _, name) => {
    if (isNullish(operands[0])) return null;
    const text = (which: 0 | 1, ordinal: string): string =>
      units.searched(
        string(operands[which], codes[which], `${name} requires a string as the ${ordinal} argument, found: `),
      );
    const input = text(0, 'first');
    const token = text(1, 'second');
    const length = units.count(input);
    const start = operands.length > 2 ? searchIndex(operands[2], name, 'starting index') : 0;
    const stop = Math.min(length, operands.length > 3 ? searchIndex(operands[3], name, 'ending index') : Infinity);
    if (start > length || stop < start) return int32(-1);
    const at = searcherOf(token, input.length)(input, units.offset(input, start));
    if (at < 0) return int32(-1);
    const found = units.count(input, at);
    return int32(found + units.count(token) <= stop ? found : -1);
  });

/** How many parts are put together at a time: a text of as many pieces as there are parts takes ten times the memory. */
const CHUNK = 4096;

/** The parts of a text between the occurrences of another; an empty one is before, after and between all characters. */
function* partsOf(text: string, separator: string): Generator<string> {
  const search = searcherOf(separator, text.length);
  const step = Math.max(1, separator.length);
  let from = 0;
  for (let at = search(text, 0); at >= 0; at = at + step > text.length ? -1 : search(text, at + step)) {
    spend(1);
    yield text.slice(from, at);
    from = at + separator.length;
  }
  yield text.slice(from);
}

function replaceAll(input: string, find: string, by: string): string {
  let [result, chunk, length] = ['', [] as string[], -by.length];
  for (const part of partsOf(input, find)) {
    length += part.length + by.length;
    assertLength(length);
    chunk.push(part);
    if (chunk.length < CHUNK) continue;
    result += chunk.join(by);
    chunk = ['']; // so that the next begins with what stands between
  }
  return result + chunk.join(by);
}

function split(input: Operand, separator: Operand): Operand {
  if (isNullish(input) || isNullish(separator)) return null;
  const message = (which: string): string =>
    `$split requires an expression that evaluates to a string as a ${which} argument, found: `;
  const text = string(input, 40085, message('first'));
  const by = string(separator, 40086, message('second'));
  if (by === '') throw new CommandError(40087, '$split requires a non-empty separator');
  const parts: string[] = [];
  let size = text.length;
  for (const part of partsOf(text, by)) {
    size += ELEMENT_BYTES;
    if (size > MEMORY_LIMIT) throw exceeded('$split');
    parts.push(part);
  }
  return parts;
}

/** Operators that search a string for another. */
export const stringSearchOperators: OperatorFamily = {
  $indexOfBytes: indexOf([40091, 40092], BYTES),
  $indexOfCP: indexOf([40093, 40094], POINTS),
  $replaceOne: replace(51746, (input, find, by) => {
    const at = searcherOf(find, input.length)(input, 0);
    return at < 0 ? input : input.slice(0, at) + by + input.slice(at + find.length);
  }),
  $replaceAll: replace(51746, replaceAll),
  $split: binary(split),
};
