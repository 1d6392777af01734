import { equalValues } from '../../../bson/compare.js';
import { modDecimals } from '../../../bson/decimal.js';
import { asDecimal, compareNumbers, toNumber } from '../../../bson/number.js';
import { TypeCode, typeCode, type Value } from '../../../bson/value.js';
import { CommandError } from '../../../errors.js';
import { valueKey } from '../../value-key.js';
import { parseTypeSet } from '../element.js';
import { compileRegExp } from '../regex.js';
import { atLeast, atMost, count, type Keyword, type KeywordFamily } from './keyword.js';
import {
  failed,
  ifNumber,
  ifText,
  mismatch,
  requireArray,
  requireBoolean,
  requireNumber,
  requireStrings,
  type SchemaTest,
  withSortedFields,
} from './operands.js';

const JSON_TYPES: Readonly<Record<string, readonly number[]>> = {
  array: [TypeCode.array],
  boolean: [TypeCode.bool],
  null: [TypeCode.null],
  number: [TypeCode.double, TypeCode.int, TypeCode.long, TypeCode.decimal],
  object: [TypeCode.object],
  string: [TypeCode.string],
};

function jsonType(operand: Value): SchemaTest {
  const names = Array.isArray(operand) ? requireStrings(operand, 'type') : [operand];
  const codes = new Set(
    names.flatMap((name) => {
      if (typeof name !== 'string') throw mismatch('type', 'either a string or an array of strings');
      if (name === 'integer') throw failed("$jsonSchema type 'integer' is not currently supported.");
      const known = Object.hasOwn(JSON_TYPES, name) ? JSON_TYPES[name] : undefined;
      if (!known) throw new CommandError('BadValue', `Unknown type name alias: ${name}`);
      return known;
    }),
  );
  return (value) => codes.has(typeCode(value));
}

function bsonType(operand: Value): SchemaTest {
  if (typeof operand !== 'string' && !Array.isArray(operand)) {
    throw mismatch('bsonType', 'either a string or an array of strings');
  }
  const codes = parseTypeSet(operand, 'bsonType');
  return (value) => codes.has(typeCode(value));
}

const limit =
  (exclusive: string, accepts: (order: number, isExclusive: boolean) => boolean): Keyword =>
  (operand, schema, name) => {
    const bound = requireNumber(operand, name);
    const isExclusive = schema.has(exclusive) && requireBoolean(schema.get(exclusive)!, exclusive);
    const isNaNBound = Number.isNaN(toNumber(bound));
    return ifNumber((n) => Number.isNaN(toNumber(n)) === isNaNBound && accepts(compareNumbers(n, bound), isExclusive));
  };

const exclusive =
  (companion: string): Keyword =>
  (operand, schema, name) => {
    requireBoolean(operand, name);
    if (!schema.has(companion)) {
      throw failed(`$jsonSchema keyword '${companion}' must be a present if ${name} is present`);
    }
    return undefined;
  };

const lengthOf = (value: Value): number | undefined =>
  typeof value === 'string' ? Array.from(value).length : undefined;

function multipleOf(operand: Value): SchemaTest {
  const divisor = requireNumber(operand, 'multipleOf');
  if (!(toNumber(divisor) > 0)) throw failed("$jsonSchema keyword 'multipleOf' must have a positive value");
  return ifNumber((n) => {
    const rest = modDecimals(asDecimal(n), asDecimal(divisor));
    return rest.kind === 'finite' && rest.coefficient === 0n;
  });
}

function enumeration(operand: Value): SchemaTest {
  const values = requireArray(operand, 'enum').map(withSortedFields);
  if (new Set(values.map((value) => valueKey(value))).size < values.length) {
    throw failed("$jsonSchema keyword 'enum' array cannot contain duplicate values.");
  }
  return (value) => {
    const sorted = withSortedFields(value);
    return values.some((allowed) => equalValues(allowed, sorted));
  };
}

const text: Keyword = (operand, _schema, name) => {
  if (typeof operand !== 'string') throw mismatch(name, 'a string');
  return undefined;
};

/** Keywords on the type of a value, and on numbers and strings. */
export const scalarKeywords: KeywordFamily = {
  type: jsonType,
  bsonType,
  enum: enumeration,
  minimum: limit('exclusiveMinimum', (order, isExclusive) => order > 0 || (order === 0 && !isExclusive)),
  maximum: limit('exclusiveMaximum', (order, isExclusive) => order < 0 || (order === 0 && !isExclusive)),
  exclusiveMinimum: exclusive('minimum'),
  exclusiveMaximum: exclusive('maximum'),
  multipleOf,
  minLength: count(lengthOf, atLeast),
  maxLength: count(lengthOf, atMost),
  pattern(operand, schema, name, compile) {
    text(operand, schema, name, compile);
    const matches = compileRegExp(operand as string, '', compile.timeLeft);
    return ifText((subject) => matches(subject));
  },
  title: text,
  description: text,
};
