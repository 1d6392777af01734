import { getPath } from '../../bson/path.js';
import { add, compareNumbers, isNumeric, toExactInt64, toNumber } from '../../bson/number.js';
import { dateOf, isDoc, msOf, typeCode, typeName, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { assertKnownFields } from '../../bson/known-fields.js';
import { addUnits, parseUnit, type DateUnit } from '../expression/date-unit.js';
import { parseFieldPath } from '../expression/field-path.js';
import { compareOperands, isNullish } from '../expression/operand.js';
import { UTC } from '../expression/time-zone.js';
import { valueKey } from '../value-key.js';
import { withPath } from './document.js';
import { holding, docSpec, type StageDefinition } from './stage.js';
import { checkInterrupt } from '../../bson/work.js';

type Bounds = 'full' | 'partition' | readonly [lower: Value, upper: Value];

interface DensifySpec {
  readonly field: readonly string[];
  readonly partitionBy: readonly (readonly string[])[];
  readonly bounds: Bounds;
  readonly unit: DateUnit | undefined;
  /** The value a step after another, `steps` times. */
  advance(value: Value): Value;
}

const missing = (field: string): CommandError =>
  new CommandError(40414, `BSON field '$densify.${field}' is missing but a required field`);

function parse(spec: Value, name: string): DensifySpec {
  const fields = docSpec(
    spec,
    'FailedToParse',
    (type) => `The ${name} stage specification must be an object, found ${type}`,
  );
  assertKnownFields(fields, name, ['field', 'partitionByFields', 'range']);
  const [field, range, partitions] = ['field', 'range', 'partitionByFields'].map((key) => fields.get(key));
  if (typeof field !== 'string') throw missing('field');
  if (!isDoc(range)) throw missing('range');
  const partitionBy = Array.isArray(partitions) ? partitions.map((path) => parseFieldPath(String(path))) : [];
  const step = range.get('step');
  if (!isNumeric(step) || compareNumbers(step, 0) <= 0) {
    throw new CommandError(
      5733401,
      'The step parameter in a range statement must be a strictly positive numeric value',
    );
  }
  const unit = unitOf(range.get('unit'), step);
  const bounds = boundsOf(range.get('bounds') ?? null, unit, step);
  if (bounds === 'partition' && partitionBy.length === 0) {
    throw new CommandError(
      5733408,
      "One cannot specify the bounds as 'partition' without specifying a non-empty array of partitionByFields. You may have meant to specify 'full' bounds.",
    );
  }
  return {
    field: parseFieldPath(field),
    partitionBy,
    bounds,
    unit,
    advance(value) {
      if (unit && value instanceof Date) {
        return dateOf(BigInt(addUnits(Number(msOf(value)), unit, toNumber(step), UTC)));
      }
      return isNumeric(value) ? (add(value, step) ?? toNumber(value) + toNumber(step)) : value;
    },
  };
}

function unitOf(unit: Value | undefined, step: Value): DateUnit | undefined {
  if (unit === undefined) return undefined;
  if (!isNumeric(step) || toExactInt64(step) === undefined) {
    throw new CommandError(
      6586400,
      'The step parameter in a range statement must be a whole number when densifying a date range',
    );
  }
  return parseUnit(String(unit));
}

function boundsOf(bounds: Value, unit: DateUnit | undefined, step: Value): Bounds {
  if (typeof bounds === 'string') {
    if (bounds === 'full' || bounds === 'partition') return bounds;
    throw new CommandError(5946802, "Bounds string must either be 'full' or 'partition'");
  }
  if (!Array.isArray(bounds)) {
    throw new CommandError(
      5733404,
      "The bounds in a range statement must be the string 'full', 'partition', or an ascending array of two numbers or two dates",
    );
  }
  const [lower, upper] = bounds;
  if (bounds.length !== 2 || lower === undefined || upper === undefined) {
    throw new CommandError(5733403, 'A bounding array in a range statement must have exactly two elements');
  }
  if (compareOperands(lower, upper) > 0) {
    throw new CommandError(5733402, 'A bounding array must be an ascending array of either two dates or two numbers');
  }
  const bothNeeded = 'A bounding array must contain either both dates or both numeric types';
  if (isNumeric(lower)) {
    if (unit) throw new CommandError(5733409, 'Numeric bounds may not have unit parameter');
    if (!isNumeric(upper)) throw new CommandError(5733406, bothNeeded);
    if (typeCode(lower) !== typeCode(upper) || typeCode(lower) !== typeCode(step)) {
      throw new CommandError(5876900, 'Upper bound, lower bound, and step must all have the same type');
    }
  } else if (lower instanceof Date) {
    if (!(upper instanceof Date)) throw new CommandError(5733405, bothNeeded);
    if (!unit) throw new CommandError(5733410, 'A bounding array of dates must specify a unit');
  } else throw new CommandError(5946800, 'Explicit bounds must be numeric or dates');
  return [lower, upper];
}

interface Part {
  /** The fields a generated document has besides the densified one. */
  readonly template: Doc;
  readonly docs: { readonly doc: Doc; readonly value: Value }[];
}

function valueOf(doc: Doc, { field, unit }: DensifySpec): Value | undefined {
  const value = getPath(doc, field);
  if (isNullish(value)) return undefined;
  if (value instanceof Date) {
    if (unit) return value;
    throw new CommandError(6053600, 'PlanExecutor: a unit is needed to densify dates');
  }
  if (!isNumeric(value)) {
    throw new CommandError(5733201, `Densify field type must be numeric or a date, but was ${typeName(value)}`);
  }
  if (unit)
    throw new CommandError(6053600, 'Encountered numeric densify value in collection when step has a date unit.');
  return value;
}

/** The documents by partition, in the order of the partitions and of the field; apart those without the field. */
function split(docs: Iterable<Doc>, spec: DensifySpec): { parts: Part[]; others: Doc[] } {
  const parts = new Map<string, Part>();
  const others: Doc[] = [];
  for (const doc of docs) {
    const value = valueOf(doc, spec);
    if (value === undefined) {
      others.push(doc);
      continue;
    }
    const template = spec.partitionBy.reduce<Doc>((all, path) => {
      const found = getPath(doc, path);
      return found === undefined ? all : withPath(all, path, found);
    }, new Map());
    const key = valueKey(template);
    const part = parts.get(key);
    if (part) part.docs.push({ doc, value });
    else parts.set(key, { template, docs: [{ doc, value }] });
  }
  const sorted = [...parts.values()].sort((a, b) => compareOperands(a.template, b.template));
  for (const { docs: entries } of sorted) entries.sort((a, b) => compareOperands(a.value, b.value));
  return { parts: sorted, others };
}

interface Range {
  readonly lower: Value;
  readonly upper: Value;
  /** Whether the upper bound is itself a value to be filled in. */
  readonly isInclusive: boolean;
}

function rangeOf(part: Part, parts: readonly Part[], { bounds }: DensifySpec): Range | undefined {
  if (bounds !== 'full' && bounds !== 'partition') return { lower: bounds[0], upper: bounds[1], isInclusive: false };
  const among = bounds === 'full' ? parts : [part];
  const values = among
    .flatMap(({ docs }) => [docs[0]?.value, docs.at(-1)?.value])
    .filter((value) => value !== undefined);
  values.sort((a, b) => compareOperands(a, b));
  const [lower, upper] = [values[0], values.at(-1)];
  return lower === undefined || upper === undefined ? undefined : { lower, upper, isInclusive: true };
}

function* densified(part: Part, range: Range, spec: DensifySpec): Iterable<Doc> {
  let next = range.lower;
  const isInside = (): boolean => {
    const order = compareOperands(next, range.upper);
    return order < 0 || (order === 0 && range.isInclusive);
  };
  const generated = (): Doc => withPath(part.template, spec.field, next);
  for (const { doc, value } of part.docs) {
    for (; isInside() && compareOperands(next, value) < 0; next = spec.advance(next)) yield generated();
    if (compareOperands(next, value) === 0) next = spec.advance(next);
    yield doc;
    while (isInside() && compareOperands(next, value) === 0) next = spec.advance(next);
  }
  for (; isInside(); next = spec.advance(next)) yield generated();
}

const GENERATED_MAX = 500_000;

export const densifyStage: StageDefinition = {
  compile(value, _context, name) {
    const spec = parse(value, name);
    return holding(function* (docs) {
      const { parts, others } = split(docs, spec);
      yield* others;
      const isExplicit = Array.isArray(spec.bounds);
      if (parts.length === 0 && isExplicit && spec.partitionBy.length === 0)
        parts.push({ template: new Map(), docs: [] });
      let count = 0;
      for (const part of parts) {
        const range = rangeOf(part, parts, spec);
        if (range === undefined) continue;
        for (const doc of densified(part, range, spec)) {
          checkInterrupt();
          if (++count > GENERATED_MAX) {
            throw new CommandError(
              5897900,
              `Generated ${count} documents in $densify, which is over the limit of ${GENERATED_MAX}. Increase the 'internalQueryMaxAllowedDensifyDocs' parameter to allow more generated documents`,
            );
          }
          yield doc;
        }
      }
    });
  },
};
