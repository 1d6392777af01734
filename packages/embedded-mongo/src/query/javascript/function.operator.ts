import { type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { type ArgumentRule, readArguments } from '../expression/arguments.js';
import type { Operator } from '../expression/operator.js';
import type { TimeLeft } from './time-limit.js';
import { codeOf, ScriptContext, type ScriptFunction } from './script.js';
import { checkInterrupt } from '../../bson/work.js';

const FUNCTION: ArgumentRule = {
  required: {
    body: [31261, 'The body function must be specified.'],
    args: [31263, 'The args field must be specified.'],
    lang: [31418, 'The lang field must be specified.'],
  },
  notAnObject: [31260, (_, type) => `$function requires an object as an argument, found: ${type}`],
};

/** The function of a field, in a context of its own unless it shares one. */
export function functionOf(
  value: Value | undefined,
  what: string,
  code: number,
  timeLeft: TimeLeft | undefined,
  scripts = new ScriptContext(),
): ScriptFunction {
  const source = codeOf(value);
  if (source === undefined) throw new CommandError(code, `${what} must be a String or Code`);
  return scripts.compile(source, timeLeft);
}

/** `$function`: what a function gives for some arguments (manual: $function). */
export const functionOperator: Operator = (argument, context, name) => {
  const given = readArguments(argument, FUNCTION, name);
  const call = functionOf(given.get('body'), 'The body function', 31262, context.env.timeLeft);
  const args = context.compile(given.get('args')!);
  if (given.get('lang') !== 'js') {
    throw new CommandError(31419, "Currently the only supported language specifier is 'js'.");
  }
  return (scope) => {
    const values = args(scope);
    if (!Array.isArray(values)) throw new CommandError(31266, 'The args field must be of type array');
    const result = call(undefined, values);
    checkInterrupt(); // the call itself may have taken all the time there was
    return result;
  };
};
