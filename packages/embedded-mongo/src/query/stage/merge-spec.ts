import { isDoc, typeName, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { assertKnownFields } from '../../bson/known-fields.js';
import type { Namespace } from '../env.js';
import { pipelineStages } from '../pipeline/stages.js';
import { checkTarget, targetOf } from '../pipeline/writes.js';

const WHEN_MATCHED = ['replace', 'keepExisting', 'merge', 'fail'] as const;
const WHEN_NOT_MATCHED = ['insert', 'discard', 'fail'] as const;
type WhenMatched = (typeof WHEN_MATCHED)[number];
type WhenNotMatched = (typeof WHEN_NOT_MATCHED)[number];

/** The specification of a `$merge` stage, with its defaults. */
export interface MergeSpec {
  readonly into: Namespace;
  /** The fields that identify a document; undefined for `_id`, which an index need not be looked for. */
  readonly on: readonly string[] | undefined;
  readonly whenMatched: WhenMatched | readonly Doc[];
  readonly whenNotMatched: WhenNotMatched;
  /** The variables of an update pipeline; undefined for `new` alone. */
  readonly variables: Doc | undefined;
}

const FIELDS = ['into', 'on', 'whenMatched', 'whenNotMatched', 'let'];

function choice<T extends string>(value: Value | undefined, field: string, choices: readonly T[], otherwise: T): T {
  if (value === undefined) return otherwise;
  const chosen = choices.find((known) => known === value);
  if (chosen !== undefined) return chosen;
  throw new CommandError(
    'BadValue',
    `Enumeration value '${String(value)}' for field '$merge.${field}' is not a valid value.`,
  );
}

/** @throws CommandError as MongoDB does, for what is not a valid specification */
export function parseMerge(spec: Value, db: string): MergeSpec {
  if (typeof spec !== 'string' && !isDoc(spec)) {
    throw new CommandError(51182, `$merge only supports a string or object argument, not ${typeName(spec)}`);
  }
  const fields: Doc = isDoc(spec) ? spec : new Map([['into', spec]]);
  assertKnownFields(fields, '$merge', FIELDS);
  const into = fields.get('into');
  if (into === undefined) throw new CommandError(40414, "BSON field '$merge.into' is missing but a required field");
  const target = targetOf(into, db);
  if (target === undefined) {
    throw new CommandError(
      51178,
      `$merge 'into' field  must be either a string or an object, but found ${typeName(into)}`,
    );
  }
  if (target.coll === '')
    throw new CommandError('InvalidNamespace', `Invalid $merge target namespace: '${target.db}.'`);
  checkTarget(target, 'Cannot $merge', [31319, 31320]);
  const matched = fields.get('whenMatched');
  const whenMatched = Array.isArray(matched)
    ? pipelineStages(matched)
    : choice(matched, 'whenMatched', WHEN_MATCHED, 'merge');
  const whenNotMatched = choice(fields.get('whenNotMatched'), 'whenNotMatched', WHEN_NOT_MATCHED, 'insert');
  if ((whenMatched === 'fail' || whenMatched === 'keepExisting') && whenNotMatched !== 'insert') {
    throw new CommandError(
      51181,
      `Combination of {whenMatched: ${whenMatched}} and {whenNotMatched: ${whenNotMatched}} is not supported`,
    );
  }
  const variables = fields.get('let');
  if (variables !== undefined && !Array.isArray(whenMatched)) {
    throw new CommandError(51199, `Cannot use 'let' variables with 'whenMatched: ${String(whenMatched)}' mode`);
  }
  if (variables !== undefined && !isDoc(variables)) {
    throw new CommandError(
      'TypeMismatch',
      `BSON field '$merge.let' is the wrong type '${typeName(variables)}', expected type 'object'`,
    );
  }
  const on = onFields(fields.get('on'));
  return { into: target, on, whenMatched, whenNotMatched, variables };
}

const noField = (code: number, found: Value): CommandError =>
  new CommandError(
    code,
    `$merge 'on' field  must be either a string or an array of strings, but found ${typeName(found)}`,
  );

function onFields(on: Value | undefined): readonly string[] | undefined {
  if (on === undefined || on === '_id') return undefined;
  if (typeof on !== 'string' && !Array.isArray(on)) throw noField(51186, on);
  const fields = Array.isArray(on) ? on : [on];
  if (fields.length === 0) {
    throw new CommandError(51187, "If explicitly specifying $merge 'on', must include at least one field");
  }
  const names = fields.map((field) => {
    if (typeof field === 'string') return field;
    throw noField(51134, field);
  });
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined) throw new CommandError(31465, `Found a duplicate field '${repeated}'`);
  return names;
}
