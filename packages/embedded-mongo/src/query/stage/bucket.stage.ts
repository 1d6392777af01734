import { typeRank } from '../../bson/compare.js';
import { docOf, int32, isDoc, typeName, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { QueryEnv } from '../env.js';
import { compileExpression, scopeOf, type Expression } from '../expression.js';
import { display } from '../expression/display.js';
import { compareOperands } from '../expression/operand.js';
import { sortDocs, sortOrder } from '../sort.js';
import { compileAccumulators, grouping, type Accumulators } from './group.stage.js';
import { holding, docSpec, type StageDefinition } from './stage.js';

const COUNT = docOf(['count', docOf(['$sum', int32(1)])]);
const BY_ID = docOf(['_id', int32(1)]);

/** `groupBy` of `$bucket` and `$bucketAuto`: an expression, not a constant. */
export function groupByExpression(value: Value, env: QueryEnv, name: string, code: number): Expression {
  const isExpression = isDoc(value)
    ? [...value.keys()][0]?.startsWith('$')
    : typeof value === 'string' && value.startsWith('$');
  if (isExpression) return compileExpression(value, env);
  throw new CommandError(
    code,
    `The ${name} 'groupBy' field must be defined as a $-prefixed path or an expression object, but found: ${display(value)}`,
  );
}

/** `output`, by default how many documents a bucket has. */
export function outputAccumulators(output: Value | undefined, env: QueryEnv, name: string, code: number): Accumulators {
  if (output !== undefined && !isDoc(output)) {
    throw new CommandError(code, `The ${name} 'output' field must be an object, but found type: ${typeName(output)}.`);
  }
  return compileAccumulators(output ?? COUNT, env);
}

function constantOf(value: Value, env: QueryEnv, code: number, what: string): Value {
  const expression = compileExpression(value, env);
  const constant = expression.isConstant ? expression(scopeOf(new Map())) : undefined;
  if (constant !== undefined) return constant;
  throw new CommandError(code, `${what} must be constant values. The value ${display(value)} is not.`);
}

function boundariesOf(value: Value, env: QueryEnv): Value[] {
  if (!Array.isArray(value)) {
    throw new CommandError(
      40200,
      `The $bucket 'boundaries' field must be an array, but found type: ${typeName(value)}.`,
    );
  }
  const boundaries = value.map((item) => constantOf(item, env, 40191, "The $bucket 'boundaries' field"));
  if (boundaries.length < 2) {
    throw new CommandError(
      40192,
      `The $bucket 'boundaries' field must have at least 2 values, but found ${boundaries.length} value(s).`,
    );
  }
  for (let i = 1; i < boundaries.length; i++) {
    const [lower, upper] = [boundaries[i - 1] as Value, boundaries[i] as Value];
    if (typeRank(lower) !== typeRank(upper)) {
      throw new CommandError(
        40193,
        `All values in the the 'boundaries' option to $bucket must have the same type. Found conflicting types ${typeName(lower)} and ${typeName(upper)}.`,
      );
    }
    if (compareOperands(lower, upper, env.collation) >= 0) {
      throw new CommandError(
        40194,
        `The 'boundaries' option to $bucket must be sorted, but elements ${i - 1} and ${i} are not in ascending order (${display(lower)} is not less than ${display(upper)}).`,
      );
    }
  }
  return boundaries;
}

function defaultOf(fields: Doc, boundaries: readonly Value[], env: QueryEnv): Value | undefined {
  const value = fields.get('default');
  if (value === undefined) return undefined;
  const constant = constantOf(value, env, 40195, "The $bucket 'default' field");
  const isBelow = compareOperands(constant, boundaries[0], env.collation) < 0;
  if (isBelow || compareOperands(constant, boundaries.at(-1), env.collation) >= 0) return constant;
  throw new CommandError(
    40199,
    "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the highest boundary.",
  );
}

export const bucketStage: StageDefinition = {
  compile(spec, { env }) {
    const fields = docSpec(
      spec,
      40201,
      (type) => `Argument to $bucket stage must be an object, but found type: ${type}.`,
    );
    for (const field of fields.keys()) {
      if (!['groupBy', 'boundaries', 'default', 'output'].includes(field)) {
        throw new CommandError(40197, `Unrecognized option to $bucket: ${field}.`);
      }
    }
    const [groupBy, bounds] = [fields.get('groupBy'), fields.get('boundaries')];
    if (groupBy === undefined || bounds === undefined) {
      throw new CommandError(40198, "$bucket requires 'groupBy' and 'boundaries' to be specified.");
    }
    const key = groupByExpression(groupBy, env, '$bucket', 40202);
    const boundaries = boundariesOf(bounds, env);
    const fallback = defaultOf(fields, boundaries, env);
    const bucket: Expression = (scope) => {
      const value = key(scope);
      const at = boundaries.findLastIndex((lower) => compareOperands(value, lower, env.collation) >= 0);
      if (at >= 0 && at < boundaries.length - 1) return boundaries[at];
      if (fallback !== undefined) return fallback;
      throw new CommandError(
        40066,
        '$switch could not find a matching branch for an input, and no default was specified.',
      );
    };
    const group = grouping(bucket, outputAccumulators(fields.get('output'), env, '$bucket', 40196), env);
    const order = sortOrder(BY_ID, env);
    return (docs) => holding((groups) => sortDocs(groups, order))(group(docs));
  },
};
