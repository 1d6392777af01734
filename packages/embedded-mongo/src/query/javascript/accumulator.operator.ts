import { typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { AccumulatorOperator } from '../accumulator/accumulator.js';
import { type ArgumentRule, readArguments } from '../expression/arguments.js';
import type { Operand } from '../expression/operator.js';
import { functionOf } from './function.operator.js';
import { ScriptContext } from './script.js';
import { checkInterrupt } from '../../bson/work.js';

const missing = (code: number, field: string): readonly [number, string] => [
  code,
  `$accumulator missing required argument '${field}'`,
];

const ACCUMULATOR: ArgumentRule = {
  required: {
    init: missing(4544707, 'init'),
    accumulate: missing(4544708, 'accumulate'),
    merge: missing(4544709, 'merge'),
    accumulateArgs: missing(4544710, 'accumulateArgs'),
  },
  optional: ['initArgs', 'finalize', 'lang'],
  notAnObject: [4544703, (_, type) => `$accumulator expects an object as an argument; found: ${type}`],
  unknown: [4544706, (_, field) => `$accumulator got an unexpected field: ${field}`],
};

const isNotAnArray = (code: number, name: string): CommandError =>
  new CommandError(code, `$accumulator ${name} must evaluate to an array`);

function assertLanguage(lang: Value | undefined): void {
  if (lang === undefined || lang === 'js') return;
  if (typeof lang === 'string') throw new CommandError(4544705, "$accumulator only supports lang: 'js'");
  throw new CommandError(4544704, `$accumulator lang must be a string; found: ${typeName(lang)}`);
}

/** `$accumulator`: a state that functions keep, one a group (manual: $accumulator). */
export const accumulatorOperator: AccumulatorOperator = (argument, context, name) => {
  const given = readArguments(argument, ACCUMULATOR, name);
  assertLanguage(given.get('lang'));
  const scripts = new ScriptContext();
  const fn = (field: string) =>
    functionOf(given.get(field), `$accumulator '${field}'`, 4544702, context.env.timeLeft, scripts);
  const [init, accumulate, finalize] = [
    fn('init'),
    fn('accumulate'),
    given.has('finalize') ? fn('finalize') : undefined,
  ];
  fn('merge'); // checked; every group is of one process here
  const initArgs = context.compile(given.get('initArgs') ?? []);
  const args = context.compile(given.get('accumulateArgs') as Value);
  return {
    start(group) {
      const first = initArgs(group);
      if (!Array.isArray(first)) throw isNotAnArray(4544711, 'initArgs');
      let state: Operand = init(undefined, first);
      return {
        add(scope) {
          const values = args(scope);
          if (!Array.isArray(values)) throw isNotAnArray(4544712, 'accumulateArgs');
          state = accumulate(undefined, [state, ...values]);
          checkInterrupt(); // the call itself may have taken all the time there was
        },
        result: () => (finalize ? finalize(undefined, [state]) : state),
      };
    },
  };
};
