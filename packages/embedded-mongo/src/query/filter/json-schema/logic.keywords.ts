import { isDoc, type Value } from '../../../bson/value.js';
import type { KeywordFamily, SchemaCompiler } from './keyword.js';
import { mismatch, requireArray, requireDoc, type SchemaTest } from './operands.js';

const schemasOf = (operand: Value, name: string, compile: SchemaCompiler): SchemaTest[] =>
  requireArray(operand, name).map((schema) => {
    if (!isDoc(schema)) throw mismatch(name, 'an array of objects');
    return compile(schema);
  });

/** Keywords that combine schemas. */
export const logicKeywords: KeywordFamily = {
  allOf(operand, _schema, name, compile) {
    const tests = schemasOf(operand, name, compile);
    return (value) => tests.every((test) => test(value));
  },
  anyOf(operand, _schema, name, compile) {
    const tests = schemasOf(operand, name, compile);
    return (value) => tests.some((test) => test(value));
  },
  oneOf(operand, _schema, name, compile) {
    const tests = schemasOf(operand, name, compile);
    return (value) => tests.filter((test) => test(value)).length === 1;
  },
  not(operand, _schema, name, compile) {
    const test = compile(requireDoc(operand, name));
    return (value) => !test(value);
  },
};
