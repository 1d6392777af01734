import { docOf, isDoc, typeName, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { assertKnownFields } from '../../bson/known-fields.js';
import { compileAddFields } from '../projection.js';
import { compileWindowFields } from './set-window-fields.stage.js';
import { docSpec, mapping, type Stage, type StageDefinition } from './stage.js';

const FIELDS = ['partitionBy', 'partitionByFields', 'sortBy', 'output'];
const METHODS: Readonly<Record<string, string>> = { locf: '$locf', linear: '$linearFill' };

/** What fills a field: a window function, or an expression in place of null. */
function filler(field: string, spec: Value): { window: Value } | { value: Value } {
  if (!isDoc(spec)) {
    throw new CommandError(6050200, 'Each fill output specification must be an object with exactly one field');
  }
  const [method, value] = [spec.get('method'), spec.get('value')];
  if (method !== undefined && value !== undefined) {
    throw new CommandError(
      6050201,
      "Each fill output specification must have exactly one of 'method' or 'value' fields, not both",
    );
  }
  if (value !== undefined) return { value: docOf(['$ifNull', [`$${field}`, value]]) };
  const name = typeof method === 'string' && Object.hasOwn(METHODS, method) ? METHODS[method] : undefined;
  if (name === undefined) throw new CommandError(6050202, 'Method must be either locf or linear');
  return { window: docOf([name, `$${field}`]) };
}

function partitionOf(fields: Doc): Value | undefined {
  const [by, byFields] = [fields.get('partitionBy'), fields.get('partitionByFields')];
  if (byFields === undefined) return by;
  if (by !== undefined) {
    throw new CommandError(6050204, "Maximum one of 'partitionBy' and 'partitionByFields can be specified in '$fill'");
  }
  if (!Array.isArray(byFields)) {
    throw new CommandError(
      'TypeMismatch',
      `BSON field '$fill.partitionByFields' is the wrong type '${typeName(byFields)}', expected type 'array'`,
    );
  }
  return byFields
    .map((field) => {
      if (typeof field === 'string') return docOf(['v', `$${field}`]);
      throw new CommandError('TypeMismatch', "BSON field '$fill.partitionByFields' has to hold strings");
    })
    .reduce<Doc>((all, item, i) => all.set(String(i), item), new Map());
}

export const fillStage: StageDefinition = {
  compile(spec, context, name) {
    const fields = docSpec(
      spec,
      'FailedToParse',
      (type) => `The ${name} stage specification must be an object, found ${type}`,
    );
    assertKnownFields(fields, name, FIELDS);
    const output = fields.get('output');
    if (!isDoc(output) || output.size === 0) {
      throw new CommandError(6050203, "The output field in '$fill' must contain an object with at least one element");
    }
    const windows: Doc = new Map();
    const values: Doc = new Map();
    for (const [field, filled] of output) {
      const by = filler(field, filled);
      if ('window' in by) windows.set(field, by.window);
      else values.set(field, by.value);
    }
    const stages: Stage[] = [];
    const sortBy = fields.get('sortBy');
    const partitionBy = partitionOf(fields);
    if (windows.size > 0) stages.push(compileWindowFields({ partitionBy, sortBy, output: windows }, context));
    if (values.size > 0) stages.push(mapping(compileAddFields(values, context.env)));
    return (docs) => stages.reduce((input, stage) => stage(input), docs);
  },
};
