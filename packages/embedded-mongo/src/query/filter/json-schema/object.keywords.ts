import { type Doc, isDoc, type Value } from '../../../bson/value.js';
import { CommandError } from '../../../errors.js';
import { compileRegExp } from '../regex.js';
import { atLeast, atMost, count, type Keyword, type KeywordFamily, rest, type SchemaCompiler } from './keyword.js';
import { ifDoc, requireDoc, requireStrings, type SchemaTest } from './operands.js';

const properties: Keyword = (operand, _schema, _name, compile) => {
  const tests = [...requireDoc(operand, 'properties')].map(([key, schema]) => {
    if (!isDoc(schema)) {
      throw new CommandError('TypeMismatch', `Nested schema for $jsonSchema property '${key}' must be an object`);
    }
    return [key, compile(schema)] as const;
  });
  return ifDoc(tests.length, (doc) => tests.every(([key, test]) => !doc.has(key) || test(doc.get(key)!)));
};

function patternsOf(schema: Doc, compile: SchemaCompiler): [(key: string) => boolean, SchemaTest][] {
  const patterns = schema.get('patternProperties');
  if (patterns === undefined) return [];
  return [...requireDoc(patterns, 'patternProperties')].map(([pattern, nested]) => [
    compileRegExp(pattern, '', compile.timeLeft),
    compile(requireDoc(nested, 'patternProperties')),
  ]);
}

const patternProperties: Keyword = (_operand, schema, _name, compile) => {
  const patterns = patternsOf(schema, compile);
  return ifDoc(1, (doc) =>
    [...doc].every(([key, value]) => patterns.every(([matches, test]) => !matches(key) || test(value))),
  );
};

const additionalProperties: Keyword = (operand, schema, name, compile) => {
  const test = rest(operand, name, compile);
  const declared = schema.get('properties');
  const patterns = patternsOf(schema, compile);
  return ifDoc(1, (doc) =>
    [...doc].every(
      ([key, value]) =>
        (isDoc(declared) && declared.has(key)) || patterns.some(([matches]) => matches(key)) || test(value),
    ),
  );
};

const dependencies: Keyword = (operand, _schema, _name, compile) => {
  const tests = [...requireDoc(operand, 'dependencies')].map(([key, needed]): SchemaTest => {
    if (!isDoc(needed) && !Array.isArray(needed)) {
      throw new CommandError(
        'TypeMismatch',
        `Property '${key}' in $jsonSchema keyword 'dependencies' must be either an object or an array`,
      );
    }
    const test = isDoc(needed) ? compile(needed) : required(needed, new Map(), 'dependencies', compile)!;
    return ifDoc(1, (doc) => !doc.has(key) || test(doc));
  });
  return (value) => tests.every((test) => test(value));
};

const required: Keyword = (operand, _schema, name) => {
  const names = requireStrings(operand, name);
  return ifDoc(names.length, (doc) => names.every((key) => doc.has(key)));
};

const propertiesOf = (value: Value): number | undefined => (isDoc(value) ? value.size : undefined);

/** Keywords on objects. */
export const objectKeywords: KeywordFamily = {
  properties,
  patternProperties,
  additionalProperties,
  dependencies,
  required,
  minProperties: count(propertiesOf, atLeast),
  maxProperties: count(propertiesOf, atMost),
};
