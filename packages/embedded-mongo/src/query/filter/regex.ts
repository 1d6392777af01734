import { BSONRegExp, BSONSymbol } from 'bson';
import type { Doc } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import {
  assertOwnLimit,
  assertTimeLeft,
  isTimeout,
  timed,
  type TimeLeft,
  timeoutFor,
} from '../javascript/time-limit.js';
import { anyOf, type Predicate, type ValueTest } from './predicate.js';
import { costOf, isRisky } from './regex-cost.js';
import { spend, workOf } from '../../bson/work.js';

/** PCRE's POSIX classes, inside brackets. */
const POSIX: Readonly<Record<string, string>> = {
  alpha: 'a-zA-Z',
  digit: '0-9',
  alnum: 'a-zA-Z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9A-Fa-f',
  word: '\\w',
  blank: ' \\t',
  cntrl: '\\x00-\\x1f\\x7f',
  print: ' -~',
  graph: '!-~',
};

/** PCRE escapes that JavaScript writes otherwise. */
const ESCAPES: Readonly<Record<string, string>> = {
  A: '(?<![\\s\\S])',
  z: '(?![\\s\\S])',
  Z: '(?=\\n?(?![\\s\\S]))',
  h: '[ \\t\\xa0]',
  H: '[^ \\t\\xa0]',
  R: '(?:\\r\\n|\\n|\\r|\\x0b|\\f|\\x85|\\u2028|\\u2029)',
  a: '\\x07',
  e: '\\x1b',
};

const KNOWN_ESCAPE = /[bBdDsSwWnrtfv0-9cuxpPk]/;

/** Rewrites a PCRE pattern in JavaScript's syntax. */
class Translation {
  private at = 0;
  private out = '';

  constructor(
    private readonly pattern: string,
    private isExtended: boolean,
    private readonly isMultiline: boolean,
  ) {}

  run(): string {
    while (this.at < this.pattern.length) this.step();
    return this.out;
  }

  private step(): void {
    const rest = this.pattern.slice(this.at, this.at + 4);
    const char = rest[0]!;
    if (char === '\\') return this.escape();
    if (char === '[') return this.brackets();
    if (this.isExtended && /\s/.test(char)) {
      this.at++;
      return;
    }
    if (this.isExtended && char === '#') {
      const end = this.pattern.indexOf('\n', this.at);
      this.at = end === -1 ? this.pattern.length : end + 1;
      return;
    }
    if (char === '(' && rest.startsWith('(?#')) {
      const end = this.pattern.indexOf(')', this.at);
      this.at = end === -1 ? this.pattern.length : end + 1;
      return;
    }
    if (rest.startsWith('(?P<')) return this.emit('(?<', 4);
    if (char === '$' && !this.isMultiline) return this.emit('(?=\\n?(?![\\s\\S]))', 1);
    // A possessive quantifier is taken for a greedy one.
    if (char === '+' && /[+*?}]/.test(this.pattern[this.at - 1] ?? '') && this.pattern[this.at - 2] !== '\\') {
      return this.emit('', 1);
    }
    this.emit(char, 1);
  }

  private emit(text: string, length: number): void {
    this.out += text;
    this.at += length;
  }

  private escape(): void {
    const next = this.pattern[this.at + 1];
    if (next === undefined) throw invalidPattern('\\ at end of pattern');
    if (next === 'Q') {
      const end = this.pattern.indexOf('\\E', this.at + 2);
      const quoted = this.pattern.slice(this.at + 2, end === -1 ? undefined : end);
      return this.emit(quoted.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), quoted.length + (end === -1 ? 2 : 4));
    }
    if (next === 'E') return this.emit('', 2);
    const known = ESCAPES[next];
    if (known !== undefined) return this.emit(known, 2);
    this.emit(this.escaped(next), 2);
  }

  /** JavaScript's unicode mode refuses needless escapes. */
  private escaped(next: string): string {
    if (KNOWN_ESCAPE.test(next) || /[\\^$.*+?()[\]{}|/]/.test(next)) return `\\${next}`;
    return next;
  }

  private brackets(): void {
    let end = this.at + 1;
    let body = '';
    if (this.pattern[end] === '^') {
      body += '^';
      end++;
    }
    if (this.pattern[end] === ']') {
      body += '\\]';
      end++;
    }
    for (; this.pattern[end] !== ']';) {
      const char = this.pattern[end];
      if (char === undefined) throw invalidPattern('missing terminating ] for character class');
      const posix = char === '[' ? /^\[:(\^?)(\w+):\]/.exec(this.pattern.slice(end)) : null;
      if (posix && POSIX[posix[2]!] && !posix[1]) {
        body += POSIX[posix[2]!];
        end += posix[0].length;
      } else if (char === '\\') {
        const next = this.pattern[end + 1] ?? '';
        body += next === '-' ? '\\-' : next === 'h' ? ' \\t' : this.escaped(next);
        end += 2;
      } else {
        body += char === '[' ? '\\[' : char;
        end++;
      }
    }
    this.emit(`[${body}]`, end + 1 - this.at);
  }
}

const invalidPattern = (reason: string): CommandError =>
  new CommandError(51091, `Regular expression is invalid: ${reason}`);

/** Options at a pattern's start, `(?i)`, are taken as the expression's own. */
const INLINE_OPTIONS = /^\(\?([imsx]+)\)/;

/** A JavaScript expression for a PCRE one. @throws CommandError when it is not valid */
export function toRegExp(pattern: string, options: string): RegExp {
  if (pattern.includes('\0'))
    throw new CommandError('BadValue', 'Regular expression cannot contain an embedded null byte');
  for (const option of options) {
    if (!'imsxu'.includes(option)) throw new CommandError(51108, ` invalid flag in regex options: ${option}`);
  }
  const inline = INLINE_OPTIONS.exec(pattern);
  const all = options + (inline?.[1] ?? '');
  const flags = [...'ims'].filter((flag) => all.includes(flag)).join('');
  const body = pattern.slice(inline?.[0].length ?? 0);
  const source = new Translation(body, all.includes('x'), all.includes('m')).run();
  try {
    return new RegExp(source, `${flags}u`);
  } catch {
    try {
      return new RegExp(source, flags);
    } catch (error) {
      throw invalidPattern((error as Error).message);
    }
  }
}

/** How long one search may take, as PCRE's match limit bounds it there. */
const SEARCH_MS = 5000;

/**
 * A function of a text and a regular expression that ends in time, though the expression backtracks for ever.
 * @throws CommandError MaxTimeMSExpired (50), or 51156 after so many seconds
 */
export function watched<T>(
  { source }: RegExp,
  timeLeft: TimeLeft | undefined,
  search: (text: string) => T,
): (text: string) => T {
  const cost = costOf(source);
  return (text) => {
    if (!isRisky(cost, text.length)) return search(text);
    assertTimeLeft(timeLeft);
    const timeoutMS = timeoutFor(timeLeft, SEARCH_MS);
    try {
      return timed(() => search(text), timeoutMS);
    } catch (error) {
      if (!isTimeout(error)) throw error;
      assertOwnLimit(timeoutMS, SEARCH_MS);
      throw new CommandError(51156, 'Error occurred while executing the regular expression: match limit exceeded');
    }
  };
}

/** Whether a string matches a regular expression, or a value is that same regular expression. */
export function compileRegExp(pattern: string, options: string, timeLeft: TimeLeft | undefined): ValueTest {
  const regExp = toRegExp(pattern, options);
  const matches = watched(regExp, timeLeft, (text) => regExp.test(text));
  return (value) => {
    spend(workOf(value));
    if (typeof value === 'string') return matches(value);
    if (value instanceof BSONSymbol) return matches(value.value);
    return value instanceof BSONRegExp && value.pattern === pattern && value.options === options;
  };
}

/** `$regex` with its `$options`, in whatever order they stand. */
export function regexOperator(operators: Doc, timeLeft: TimeLeft | undefined): Predicate {
  let pattern = '';
  let options: string | undefined;
  for (const [name, operand] of operators) {
    if (name === '$regex') {
      if (operand instanceof BSONRegExp) {
        pattern = operand.pattern;
        if (operand.options && options) throw new CommandError(51074, 'options set in both $regex and $options');
        options = operand.options || options;
      } else if (typeof operand === 'string') pattern = operand;
      else throw new CommandError('BadValue', '$regex has to be a string');
    } else if (name === '$options') {
      if (typeof operand !== 'string') throw new CommandError('BadValue', '$options has to be a string');
      if (options) throw new CommandError(51075, 'options set in both $regex and $options');
      options = operand;
    }
  }
  return anyOf(compileRegExp(pattern, options ?? '', timeLeft));
}
