import { BSONRegExp } from 'bson';
import { docOf, int32, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { spend, workOfLength } from '../../bson/work.js';
import { allocate, ELEMENT_BYTES } from '../memory.js';
import { toRegExp, watched } from '../filter/regex.js';
import { named, type ArgumentRule, type NamedValues } from './arguments.js';
import { isNullish } from './operand.js';
import type { Operand, Operator, OperatorFamily } from './operator.js';

const REGEX: ArgumentRule = {
  required: { input: [31022, "% requires 'input' parameter"], regex: [31023, "% requires 'regex' parameter"] },
  optional: ['options'],
  notAnObject: [51103, (name, type) => `${name} expects an object of named arguments but found: ${type}`],
  unknown: [31024, (name, field) => `${name} found an unknown argument: ${field}`],
};

/** The expression and its options, from a regex or from a string with `options`; undefined when it is null. */
function patternOf(values: NamedValues, name: string): { pattern: string; options: string } | undefined {
  const regex = values.get('regex');
  const given = values.get('options');
  if (!isNullish(given) && typeof given !== 'string') {
    throw new CommandError(51106, `${name} needs 'options' to be of type string`);
  }
  if (isNullish(regex)) return undefined;
  if (typeof regex !== 'string' && !(regex instanceof BSONRegExp)) {
    throw new CommandError(51105, `${name} needs 'regex' to be of type string or regex`);
  }
  const own = regex instanceof BSONRegExp ? regex.options : '';
  if (own !== '' && !isNullish(given)) {
    throw new CommandError(51107, `${name}: found regex option(s) specified in both 'regex' and 'option' fields`);
  }
  const pattern = regex instanceof BSONRegExp ? regex.pattern : regex;
  const options = isNullish(given) ? own : given;
  if (pattern.includes('\0')) {
    throw new CommandError(51109, `${name}: regular expression cannot contain an embedded null byte`);
  }
  if (options.includes('\0')) {
    throw new CommandError(51110, `${name}: regular expression options cannot contain an embedded null byte`);
  }
  const wrong = /[^imsxu]/.exec(options)?.[0];
  if (wrong !== undefined) throw new CommandError(51108, `${name} invalid flag in regex options: ${wrong}`);
  return { pattern, options };
}

function compile({ pattern, options }: { pattern: string; options: string }, name: string): RegExp {
  try {
    const { source, flags } = toRegExp(pattern, options);
    return new RegExp(source, `${flags}g`);
  } catch (error) {
    throw new CommandError(
      51111,
      `Invalid Regex in ${name}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** What `$regexFindAll` may give, and about what each of its documents takes beside the text. */
const MAX_FOUND_BYTES = 64 * 1024 * 1024;
const MATCH_BYTES = 64;
const FIELDS = 4;

/** Makes documents of matches in their order: `idx` counts code points, each of them once. */
function matchDocuments(): (match: RegExpExecArray) => Value {
  let [at, index] = [0, 0];
  return (match) => {
    const captures = match.slice(1).map((capture: string | undefined) => capture ?? null);
    for (const _ of match.input.slice(at, match.index)) index++;
    at = match.index;
    spend(workOfLength(match[0].length) + captures.length);
    allocate(captures.length + FIELDS);
    return docOf(['match', match[0]], ['idx', int32(index)], ['captures', captures]);
  };
}

/** An operator on the matches of a regular expression; `none` is its value when input or regex is null. */
const matching = (none: Value, evaluate: (matches: Iterable<RegExpExecArray>) => Operand): Operator =>
  named(REGEX, (values, { env }, name) => {
    const input = values.get('input');
    if (!isNullish(input) && typeof input !== 'string') {
      throw new CommandError(51104, `${name} needs 'input' to be of type string`);
    }
    const pattern = patternOf(values, name);
    if (isNullish(input) || pattern === undefined) return none;
    const regExp = compile(pattern, name);
    return watched(regExp, env.timeLeft, (text) => evaluate(text.matchAll(regExp)))(input);
  });

/** Operators on regular expressions. */
export const regexOperators: OperatorFamily = {
  $regexFind: matching(null, (matches) => {
    for (const match of matches) return matchDocuments()(match);
    return null;
  }),
  $regexFindAll: matching([], (matches) => {
    const found: RegExpExecArray[] = [];
    let size = 0;
    for (const match of matches) {
      size += match.reduce(
        (sum, capture: string | undefined) => sum + (capture?.length ?? 0) + ELEMENT_BYTES,
        MATCH_BYTES,
      );
      if (size > MAX_FOUND_BYTES) {
        throw new CommandError(51151, '$regexFindAll: the size of buffer to store output exceeded the 64MB limit');
      }
      found.push(match);
    }
    // Where the last match ends the string MongoDB does not look for an empty one after it.
    const last = found.at(-1);
    const isEmptyAtEnd = found.length > 0 && last?.[0] === '' && last.index === last.input.length && last.index > 0;
    return (isEmptyAtEnd ? found.slice(0, -1) : found).map(matchDocuments());
  }),
  $regexMatch: matching(false, (matches) => {
    for (const _ of matches) return true;
    return false;
  }),
};
