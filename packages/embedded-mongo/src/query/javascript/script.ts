import { createContext, Script } from 'node:vm';
import { Code } from 'bson';
import { type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { assertOwnLimit, assertTimeLeft, isTimeout, type TimeLeft, timeoutFor } from './time-limit.js';
import { fromScript, toScript, type Realm } from './script-values.js';

/** How long one call may take. The server runs it in its own process, where it stops everything else meanwhile. */
const TIMEOUT_MS = 10_000;

/** A function that came with a command; `self` is its `this`. */
export type ScriptFunction = (self: Value | undefined, args: readonly (Value | undefined)[]) => Value | undefined;

const FUNCTION = /^\s*(async\s+)?(function\b|\([^)]*\)\s*=>|[\w$]+\s*=>)/;

/** A function's source: as it is, or made of an expression or of statements with a `return`. */
function functionSource(code: string): string {
  if (FUNCTION.test(code)) return code.replace(/[\s;]+$/, '');
  return /\breturn\b/.test(code) ? `function() { ${code} }` : `function() { return (${code.replace(/;\s*$/, '')}\n) }`;
}

/** The code of a string or a BSON Code. */
export const codeOf = (value: Value | undefined): string | undefined =>
  typeof value === 'string' ? value : value instanceof Code ? String(value.code) : undefined;

/** Values as the realm of a context has them: its own arrays, objects, dates and errors. */
const REALM = `({
  object: () => ({}), array: () => [], date: (ms) => new Date(ms), regExp: (source, flags) => new RegExp(source, flags),
  isDate: (value) => value instanceof Date, isRegExp: (value) => value instanceof RegExp,
})`;

/** What shell scripts know besides the language itself. */
const GLOBALS = `
  const NumberInt = (value) => Math.trunc(Number(value)), NumberLong = NumberInt, NumberDecimal = Number;
  const isNumber = (value) => typeof value === 'number', isObject = (value) => typeof value === 'object';
  const print = () => {}, printjson = print, tojson = JSON.stringify, tojsononeline = tojson;
  const ISODate = (text) => (text === undefined ? new Date() : new Date(text));
  const sleep = (ms) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.min(ms, 10000));
  Array.sum = (values) => values.reduce((sum, value) => sum + value, 0);
  Array.avg = (values) => Array.sum(values) / values.length;
`;

/**
 * A place where functions that come with commands run (manual: $where, $function, $accumulator): a context of its own,
 * in this process. It keeps honest scripts apart from the server, and is no protection from others.
 */
export class ScriptContext {
  private readonly context = createContext({});
  private readonly realm: Realm;
  private readonly caller = new Script('call.fn.apply(call.self, call.args)');

  /** @param globals variables that the scripts see */
  constructor(globals: ReadonlyMap<string, Value> = new Map()) {
    new Script(GLOBALS).runInContext(this.context);
    this.realm = new Script(REALM).runInContext(this.context) as Realm;
    for (const [name, value] of globals) this.set(name, value);
  }

  /** Gives scripts a variable. */
  set(name: string, value: Value): void {
    this.context[name] = toScript(value, this.realm);
  }

  /** Gives scripts a function of ours. */
  define(name: string, run: (args: readonly (Value | undefined)[]) => void): void {
    this.context[name] = (...args: unknown[]): void => run(args.map((arg) => fromScript(arg, this.realm)));
  }

  /** @throws CommandError JSInterpreterFailure (139) for code that is no JavaScript, as do the calls of one that throws */
  compile(code: string, timeLeft: TimeLeft | undefined): ScriptFunction {
    const { context, realm } = this;
    const fn = run(timeLeft, (timeout) =>
      new Script(`(${functionSource(code)})`).runInContext(context, { timeout }),
    ) as unknown;
    if (typeof fn !== 'function') throw new CommandError('JSInterpreterFailure', `${code} is not a function`);
    return (self, args) => {
      const call = {
        fn,
        self: self === undefined ? undefined : toScript(self, realm),
        args: args.map((arg) => (arg === undefined ? undefined : toScript(arg, realm))),
      };
      context['call'] = call;
      return fromScript(
        run(timeLeft, (timeout) => this.caller.runInContext(context, { timeout }) as unknown),
        realm,
      );
    };
  }
}

function run(timeLeft: TimeLeft | undefined, work: (timeoutMS: number) => unknown): unknown {
  assertTimeLeft(timeLeft);
  const timeoutMS = timeoutFor(timeLeft, TIMEOUT_MS);
  try {
    return work(timeoutMS);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const { name = 'Error', message = String(error) } = (error ?? {}) as Partial<Error>;
    if (isTimeout(error)) {
      assertOwnLimit(timeoutMS, TIMEOUT_MS);
      throw new CommandError('Interrupted', `JavaScript execution took longer than ${TIMEOUT_MS} ms`);
    }
    throw new CommandError('JSInterpreterFailure', `${name}: ${message}`);
  }
}
