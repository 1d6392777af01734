import { isDoc, typeName, type Doc, type Value } from '../../bson/value.js';
import { isNumeric, toNumber } from '../../bson/number.js';
import { CommandError } from '../../errors.js';
import { assertKnownFields } from '../../bson/known-fields.js';
import type { QueryEnv } from '../env.js';
import { compileDocExpression } from '../expression.js';
import { parseFieldPath } from '../expression/field-path.js';
import { compareOperands } from '../expression/operand.js';
import { bounded } from '../memory.js';
import { sortDocs, sortOrder } from '../sort.js';
import { valueKey } from '../value-key.js';
import { accumulatedFunctions } from '../window/accumulated.functions.js';
import type { Partition, WindowFunction, WindowOperator, WindowSort } from '../window/partition.js';
import { rankFunctions } from '../window/rank.functions.js';
import { seriesFunctions } from '../window/series.functions.js';
import { withPath } from './document.js';
import { docSpec, holding, type Stage, type StageContext, type StageDefinition } from './stage.js';

const FUNCTIONS = new Map<string, WindowOperator>(
  Object.entries({ ...accumulatedFunctions, ...rankFunctions, ...seriesFunctions }),
);

function windowSort(sortBy: Value | undefined, env: QueryEnv): WindowSort | undefined {
  if (sortBy === undefined) return undefined;
  if (!isDoc(sortBy)) {
    throw new CommandError(
      'TypeMismatch',
      `BSON field '$setWindowFields.sortBy' is the wrong type '${typeName(sortBy)}', expected type 'object'`,
    );
  }
  const order = sortOrder(sortBy, env);
  const [first] = sortBy;
  const isAscending = first !== undefined && isNumeric(first[1]) && toNumber(first[1]) === 1;
  return { order, size: sortBy.size, path: isAscending ? first[0].split('.') : undefined };
}

interface Output {
  readonly path: readonly string[];
  readonly compute: WindowFunction;
}

function compileOutput(field: string, spec: Value, sort: WindowSort | undefined, env: QueryEnv): Output {
  if (!isDoc(spec)) {
    throw new CommandError('FailedToParse', `The field '${field}' must be an object`);
  }
  const name = [...spec.keys()].find((key) => key.startsWith('$'));
  if (name === undefined) {
    const [first] = spec.keys();
    throw new CommandError('FailedToParse', `Expected a $-prefixed window function${first ? `, ${first}` : ''}`);
  }
  const compile = FUNCTIONS.get(name);
  if (compile === undefined) throw new CommandError('FailedToParse', `Unrecognized window function, ${name}`);
  for (const key of spec.keys()) {
    if (key !== name && key !== 'window') {
      throw new CommandError('FailedToParse', `Window function ${name} found an unknown argument: ${key}`);
    }
  }
  const compute = compile(spec.get(name) as Value, { env, sort, window: spec.get('window') }, name);
  return { path: parseFieldPath(field), compute };
}

/** Splits documents by the value of an expression; the partitions come in the order of their values. */
function partitioning(partitionBy: Value | undefined, env: QueryEnv): (docs: Iterable<Doc>) => Doc[][] {
  if (partitionBy === undefined) {
    return (docs) => [[...docs]];
  }
  const expression = compileDocExpression(partitionBy, env);
  return (docs) => {
    const partitions = new Map<string, { value: Value; docs: Doc[] }>();
    for (const doc of docs) {
      const value = expression(doc) ?? null;
      if (Array.isArray(value)) {
        throw new CommandError(
          'TypeMismatch',
          'An expression used to partition cannot evaluate to value of type array',
        );
      }
      const key = valueKey(value, env.collation);
      const known = partitions.get(key);
      if (known) known.docs.push(doc);
      else partitions.set(key, { value, docs: [doc] });
    }
    return [...partitions.values()]
      .sort((a, b) => compareOperands(a.value, b.value, env.collation))
      .map((partition) => partition.docs);
  };
}

function* withOutputs(partition: Partition, outputs: readonly Output[]): Iterable<Doc> {
  const columns = outputs.map(({ path, compute }) => ({ path, values: compute(partition) }));
  for (const [i, doc] of partition.entries()) {
    const result = columns.reduce((before, { path, values }) => {
      const value = values[i];
      return value === undefined ? before : withPath(before, path, value);
    }, doc);
    yield bounded(result, '$setWindowFields');
  }
}

/** Compiles the parts of `$setWindowFields`. */
export function compileWindowFields(
  parts: { partitionBy?: Value | undefined; sortBy?: Value | undefined; output: Doc },
  { env }: StageContext,
): Stage {
  const sort = windowSort(parts.sortBy, env);
  const outputs = [...parts.output].map(([field, spec]) => compileOutput(field, spec, sort, env));
  const partition = partitioning(parts.partitionBy, env);
  return holding(function* (docs) {
    for (const part of partition(docs)) yield* withOutputs(sort ? sortDocs(part, sort.order) : part, outputs);
  });
}

export const setWindowFieldsStage: StageDefinition = {
  compile(spec, context, name) {
    const fields = docSpec(
      spec,
      'FailedToParse',
      (type) => `the ${name} stage specification must be an object, found ${type}`,
    );
    assertKnownFields(fields, name, ['partitionBy', 'sortBy', 'output']);
    const output = fields.get('output');
    if (output === undefined)
      throw new CommandError(40414, `BSON field '${name}.output' is missing but a required field`);
    if (!isDoc(output)) {
      throw new CommandError(
        'TypeMismatch',
        `BSON field '${name}.output' is the wrong type '${typeName(output)}', expected type 'object'`,
      );
    }
    return compileWindowFields(
      { partitionBy: fields.get('partitionBy'), sortBy: fields.get('sortBy'), output },
      context,
    );
  },
};
