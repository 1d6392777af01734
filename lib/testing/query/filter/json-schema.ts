import { compareValues, equalValues } from '../../bson/compare.js';
import { asDecimal, compareNumbers, toNumber } from '../../bson/number.js';
import { modDecimals } from '../../bson/decimal.js';
import { type Doc, isDoc, TypeCode, typeCode, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { parseTypeSet } from './element.js';
import { parseNonNegativeInteger } from './integer.js';
import type { Filter } from './predicate.js';
import {
  failed,
  ifArray,
  ifDoc,
  ifNumber,
  ifText,
  mismatch,
  requireArray,
  requireBoolean,
  requireDoc,
  requireNumber,
  requireStrings,
  type SchemaTest,
} from './json-schema.operands.js';
import { compileRegExp } from './regex.js';

type Keyword = (operand: Value, schema: Doc, name: string) => SchemaTest | undefined;

/**
 * Compiles a `$jsonSchema`, draft 4 with MongoDB's extension `bsonType` and its omissions.
 *
 * @throws CommandError FailedToParse or TypeMismatch for a schema that is not valid
 * @see https://www.mongodb.com/docs/v7.0/reference/operator/query/jsonSchema/
 */
export function compileJsonSchema(schema: Value): Filter {
  if (!isDoc(schema)) throw new CommandError('TypeMismatch', '$jsonSchema must be an object');
  return compileSchema(schema);
}

function compileSchema(schema: Doc): SchemaTest {
  if (schema.has('type') && schema.has('bsonType')) {
    throw failed("Cannot specify both $jsonSchema keywords 'type' and 'bsonType'");
  }
  const tests: SchemaTest[] = [];
  for (const [name, operand] of schema) {
    const keyword = KEYWORDS.get(name);
    if (!keyword) {
      throw failed(
        UNSUPPORTED.has(name)
          ? `$jsonSchema keyword '${name}' is not currently supported`
          : `Unknown $jsonSchema keyword: ${name}`,
      );
    }
    const test = keyword(operand, schema, name);
    if (test) tests.push(test);
  }
  return (value) => tests.every((test) => test(value));
}

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
    return ifNumber((n) => accepts(compareNumbers(n, bound), isExclusive));
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

const count =
  (measure: (value: Value) => number | undefined, accepts: (n: number, bound: number) => boolean): Keyword =>
  (operand, _schema, name) => {
    const bound = Number(parseNonNegativeInteger(name, operand));
    return (value) => {
      const n = measure(value);
      return n === undefined || accepts(n, bound);
    };
  };

const lengthOf = (value: Value): number | undefined =>
  typeof value === 'string' ? Array.from(value).length : undefined;
const itemsOf = (value: Value): number | undefined => (Array.isArray(value) ? value.length : undefined);
const propertiesOf = (value: Value): number | undefined => (isDoc(value) ? value.size : undefined);
const atLeast = (n: number, bound: number) => n >= bound;
const atMost = (n: number, bound: number) => n <= bound;

function multipleOf(operand: Value): SchemaTest {
  const divisor = requireNumber(operand, 'multipleOf');
  if (!(toNumber(divisor) > 0)) throw failed("$jsonSchema keyword 'multipleOf' must have a positive value");
  return ifNumber((n) => {
    const rest = modDecimals(asDecimal(n), asDecimal(divisor));
    return rest.kind === 'finite' && rest.coefficient === 0n;
  });
}

const schemasOf = (operand: Value, name: string): SchemaTest[] =>
  requireArray(operand, name).map((schema) => {
    if (!isDoc(schema)) throw mismatch(name, 'an array of objects');
    return compileSchema(schema);
  });

function properties(operand: Value): SchemaTest {
  const tests = [...requireDoc(operand, 'properties')].map(([key, schema]) => {
    if (!isDoc(schema)) {
      throw new CommandError('TypeMismatch', `Nested schema for $jsonSchema property '${key}' must be an object`);
    }
    return [key, compileSchema(schema)] as const;
  });
  return ifDoc((doc) => tests.every(([key, test]) => !doc.has(key) || test(doc.get(key)!)));
}

function patternsOf(schema: Doc): [(key: string) => boolean, SchemaTest][] {
  const patterns = schema.get('patternProperties');
  if (patterns === undefined) return [];
  return [...requireDoc(patterns, 'patternProperties')].map(([pattern, nested]) => [
    compileRegExp(pattern, ''),
    compileSchema(requireDoc(nested, 'patternProperties')),
  ]);
}

function patternProperties(_operand: Value, schema: Doc): SchemaTest {
  const patterns = patternsOf(schema);
  return ifDoc((doc) =>
    [...doc].every(([key, value]) => patterns.every(([matches, test]) => !matches(key) || test(value))),
  );
}

/** A boolean, or a schema for what nothing else describes. */
function rest(operand: Value, name: string): SchemaTest {
  if (typeof operand === 'boolean') return () => operand;
  if (!isDoc(operand)) throw mismatch(name, 'either an object or a boolean');
  return compileSchema(operand);
}

function additionalProperties(operand: Value, schema: Doc, name: string): SchemaTest {
  const test = rest(operand, name);
  const declared = schema.get('properties');
  const patterns = patternsOf(schema);
  return ifDoc((doc) =>
    [...doc].every(
      ([key, value]) =>
        (isDoc(declared) && declared.has(key)) || patterns.some(([matches]) => matches(key)) || test(value),
    ),
  );
}

function dependencies(operand: Value): SchemaTest {
  const tests = [...requireDoc(operand, 'dependencies')].map(([key, needed]): SchemaTest => {
    if (!isDoc(needed) && !Array.isArray(needed)) {
      throw new CommandError(
        'TypeMismatch',
        `Property '${key}' in $jsonSchema keyword 'dependencies' must be either an object or an array`,
      );
    }
    const test = isDoc(needed) ? compileSchema(needed) : required(needed, new Map(), 'dependencies')!;
    return ifDoc((doc) => !doc.has(key) || test(doc));
  });
  return (value) => tests.every((test) => test(value));
}

const required: Keyword = (operand, _schema, name) => {
  const names = requireStrings(operand, name);
  return ifDoc((doc) => names.every((key) => doc.has(key)));
};

function items(operand: Value): SchemaTest {
  if (isDoc(operand)) {
    const test = compileSchema(operand);
    return ifArray((array) => array.every(test));
  }
  if (!Array.isArray(operand)) throw mismatch('items', 'an array or an object');
  const tests = operand.map((schema) => compileSchema(requireDoc(schema, 'items')));
  return ifArray((array) => tests.every((test, i) => i >= array.length || test(array[i]!)));
}

function additionalItems(operand: Value, schema: Doc, name: string): SchemaTest | undefined {
  const test = rest(operand, name);
  const described = schema.get('items');
  if (!Array.isArray(described)) return undefined;
  return ifArray((array) => array.slice(described.length).every(test));
}

function uniqueItems(operand: Value): SchemaTest | undefined {
  if (!requireBoolean(operand, 'uniqueItems')) return undefined;
  return ifArray((array) => {
    const sorted = [...array].sort((a, b) => compareValues(a, b));
    return sorted.every((value, i) => i === 0 || !equalValues(sorted[i - 1]!, value));
  });
}

function enumeration(operand: Value): SchemaTest {
  const values = requireArray(operand, 'enum');
  return (value) => values.some((allowed) => equalValues(allowed, value));
}

const text: Keyword = (operand, _schema, name) => {
  if (typeof operand !== 'string') throw mismatch(name, 'a string');
  return undefined;
};

const KEYWORDS: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  ['type', jsonType],
  ['bsonType', bsonType],
  ['enum', enumeration],
  ['minimum', limit('exclusiveMinimum', (order, isExclusive) => order > 0 || (order === 0 && !isExclusive))],
  ['maximum', limit('exclusiveMaximum', (order, isExclusive) => order < 0 || (order === 0 && !isExclusive))],
  ['exclusiveMinimum', exclusive('minimum')],
  ['exclusiveMaximum', exclusive('maximum')],
  ['multipleOf', multipleOf],
  ['minLength', count(lengthOf, atLeast)],
  ['maxLength', count(lengthOf, atMost)],
  [
    'pattern',
    (operand, schema, name) => {
      text(operand, schema, name);
      const matches = compileRegExp(operand as string, '');
      return ifText((subject) => matches(subject));
    },
  ],
  ['properties', properties],
  ['patternProperties', patternProperties],
  ['additionalProperties', additionalProperties],
  ['dependencies', dependencies],
  ['required', required],
  ['minProperties', count(propertiesOf, atLeast)],
  ['maxProperties', count(propertiesOf, atMost)],
  ['items', items],
  ['additionalItems', additionalItems],
  ['minItems', count(itemsOf, atLeast)],
  ['maxItems', count(itemsOf, atMost)],
  ['uniqueItems', uniqueItems],
  [
    'allOf',
    (operand) => {
      const tests = schemasOf(operand, 'allOf');
      return (value) => tests.every((test) => test(value));
    },
  ],
  [
    'anyOf',
    (operand) => {
      const tests = schemasOf(operand, 'anyOf');
      return (value) => tests.some((test) => test(value));
    },
  ],
  [
    'oneOf',
    (operand) => {
      const tests = schemasOf(operand, 'oneOf');
      return (value) => tests.filter((test) => test(value)).length === 1;
    },
  ],
  [
    'not',
    (operand) => {
      const test = compileSchema(requireDoc(operand, 'not'));
      return (value) => !test(value);
    },
  ],
  ['title', text],
  ['description', text],
]);

const UNSUPPORTED = new Set(['$ref', '$schema', 'default', 'definitions', 'format', 'id']);
