import { type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { type ArgumentRule, readArguments } from '../expression/arguments.js';
import type { CompileContext, Operator } from '../expression/operator.js';
import { codeOf, ScriptContext, type ScriptFunction } from './script.js';

const FUNCTION: ArgumentRule = {
  required: {
    body: [4660802, 'The body function must be specified.'],
    args: [4660803, 'The args field must be specified.'],
    lang: [4660804, 'The lang field must be specified.'],
  },
  notAnObject: [4660800, (_, type) => `$function requires an object as an argument, found: ${type}`],
  unknown: [4660801, (_, field) => `$function found an unknown argument: ${field}`],
};

/** @throws CommandError for another language than `js` */
export function assertJavaScript(lang: Value | undefined, code: number, name: string): void {
  if (lang !== 'js') throw new CommandError(code, `${name} lang must be 'js'`);
}

/** The function of a field, in a context of its own unless it shares one. */
export function functionOf(
  value: Value | undefined,
  what: string,
  code: number,
  scripts = new ScriptContext(),
): ScriptFunction {
  const source = codeOf(value);
  if (source === undefined) throw new CommandError(code, `${what} must be of type string or code`);
  return scripts.compile(source);
}

/** `$function`: what a function gives for some arguments (manual: $function). */
export const functionOperator: Operator = (argument, context, name) => {
  const given = readArguments(argument, FUNCTION, name);
  assertJavaScript(given.get('lang'), 4660805, name);
  const call = functionOf(given.get('body'), 'The body function', 4660806);
  const values = argumentsOf(given.get('args')!, context, 4660807);
  return (scope) => {
    context.env.checkInterrupt();
    return call(
      undefined,
      values.map((value) => value(scope)),
    );
  };
};

function argumentsOf(args: Value, context: CompileContext, code: number) {
  if (!Array.isArray(args)) throw new CommandError(code, 'The args field must be of type array');
  return args.map((arg) => context.compile(arg));
}
