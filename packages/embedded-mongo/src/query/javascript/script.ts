import { Code } from 'bson';
import { type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { bounded } from '../memory.js';
import { scriptProcess } from './script-process.js';
import { fromScript, toScript } from './script-values.js';
import { assertOwnLimit, assertTimeLeft, type TimeLeft, timeoutFor } from './time-limit.js';

/** How long one call may take. The server waits for it, and does nothing else meanwhile. */
const TIMEOUT_MS = 10_000;

/** A function that came with a command; `self` is its `this`. */
export type ScriptFunction = (self: Value | undefined, args: readonly (Value | undefined)[]) => Value | undefined;

/** What the functions of a context see besides their arguments. */
export interface ScriptSurroundings {
  /** Variables, by name. */
  readonly globals?: ReadonlyMap<string, Value>;
  /** A variable that is the `this` of the call. */
  readonly selfName?: string;
  /** Is told what they gave to `emit(key, value)`, once a call has ended; without it there is no `emit`. */
  readonly onEmit?: (key: Value, value: Value) => void;
}

const FUNCTION = /^\s*(async\s+)?(function\b|\([^)]*\)\s*=>|[\w$]+\s*=>)/;

/**
 * What may be `import(…)`, whose promise is of another realm; not a property or a string of that name. Escapes are no
 * way round: a keyword has none.
 */
const IMPORT = /(?<!['"`]|(?<!\.)\.|[\w$])import\s*[(/<.-]/;

/** A function's source: as it is, or made of an expression or of statements with a `return`. */
function functionSource(code: string): string {
  if (FUNCTION.test(code)) return code.replace(/[\s;]+$/, '');
  return /\breturn\b/.test(code) ? `function() { ${code} }` : `function() { return (${code.replace(/;\s*$/, '')}\n) }`;
}

/** The code of a string or a BSON Code. */
export const codeOf = (value: Value | undefined): string | undefined =>
  typeof value === 'string' ? value : value instanceof Code ? String(value.code) : undefined;

/** @throws CommandError also for what cannot be that was forged, such as an ObjectId of three letters */
function given(value: unknown): Value | undefined {
  try {
    return fromScript(value);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError('JSInterpreterFailure', `a script gave what is no value: ${String(error)}`);
  }
}

let contexts = 0;

/**
 * A place where functions that come with commands run (manual: $where, $function, $accumulator): a context of its own,
 * in a process of its own: texts go in and out. `node:vm` is not made to withstand who knows a fault of V8 or Node;
 * `docs/differences.md` says what is promised.
 */
export class ScriptContext {
  private readonly id = ++contexts;
  private readonly sources: string[] = [];

  constructor(private readonly surroundings: ScriptSurroundings = {}) {}

  /** @throws CommandError JSInterpreterFailure (139) for code that is no JavaScript, as do the calls of one that throws */
  compile(code: string, timeLeft: TimeLeft | undefined): ScriptFunction {
    if (IMPORT.test(code)) throw new CommandError('JSInterpreterFailure', 'SyntaxError: import is not supported');
    const index = this.sources.length;
    const source = `(() => (${functionSource(code)}\n))`;
    this.open(timeLeft);
    this.define(source, code, timeLeft);
    this.sources.push(source);
    const { selfName, onEmit } = this.surroundings;
    return (self, args) => {
      this.open(timeLeft);
      bounded(args as Value[], 'arguments of a script');
      const request = `[2,${index},${toScript(self)},${toScript(args as Value[])},${JSON.stringify(selfName ?? '')}]`;
      const [, value, emitted] = this.ask(request, timeLeft);
      if (onEmit) for (const pair of given(emitted) as Value[][]) onEmit(pair[0] ?? null, pair[1] ?? null);
      return given(value);
    };
  }

  /** Makes the context, unless the process has it: also again, as processes end and forget. */
  private open(timeLeft: TimeLeft | undefined): void {
    if (scriptProcess().knows(this.id)) return;
    const { globals = new Map<string, Value>(), onEmit } = this.surroundings;
    this.ask(`[0,${toScript(globals)},${onEmit !== undefined}]`, timeLeft);
    for (const source of this.sources) this.define(source, source, timeLeft);
  }

  private define(source: string, code: string, timeLeft: TimeLeft | undefined): void {
    const [status] = this.ask('[1]', timeLeft, source);
    if (status !== 0) throw new CommandError('JSInterpreterFailure', `${code} is not a function`);
  }

  private ask(text: string, timeLeft: TimeLeft | undefined, code?: string): unknown[] {
    assertTimeLeft(timeLeft);
    const scripts = scriptProcess();
    const timeoutMS = timeoutFor(timeLeft, TIMEOUT_MS);
    const answer = scripts.ask({ id: this.id, text, code }, timeoutMS);
    if (answer === 'late') {
      assertOwnLimit(timeoutMS, TIMEOUT_MS);
      throw new CommandError('Interrupted', `JavaScript execution took longer than ${TIMEOUT_MS} ms`);
    }
    if (answer === 'ended') throw new CommandError('JSInterpreterFailure', 'Out of memory');
    const [status, ...rest] = JSON.parse(answer.text) as unknown[];
    if (status === 1) throw new CommandError('JSInterpreterFailure', String(rest[0]));
    return [status, ...rest];
  }
}
