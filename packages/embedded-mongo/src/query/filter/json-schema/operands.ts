import { BSONSymbol } from 'bson';
import { isNumeric, type Numeric } from '../../../bson/number.js';
import { type Doc, isDoc, typeName, type Value } from '../../../bson/value.js';
import { CommandError } from '../../../errors.js';
import { spend, workOf } from '../../../bson/work.js';

/** Whether a value, which is there, satisfies a schema or one of its keywords. */
export type SchemaTest = (value: Value) => boolean;

export const failed = (message: string): CommandError => new CommandError('FailedToParse', message);
export const mismatch = (name: string, kind: string): CommandError =>
  new CommandError('TypeMismatch', `$jsonSchema keyword '${name}' must be ${kind}`);

export function requireDoc(operand: Value, name: string): Doc {
  if (!isDoc(operand)) throw mismatch(name, 'an object');
  return operand;
}

export function requireArray(operand: Value, name: string): Value[] {
  if (!Array.isArray(operand)) throw mismatch(name, 'an array');
  if (operand.length === 0) throw failed(`$jsonSchema keyword '${name}' cannot be an empty array`);
  return operand;
}

export function requireNumber(operand: Value, name: string): Numeric {
  if (!isNumeric(operand)) throw mismatch(name, 'a number');
  return operand;
}

export function requireBoolean(operand: Value, name: string): boolean {
  if (typeof operand !== 'boolean') throw mismatch(name, 'a boolean');
  return operand;
}

export function requireStrings(operand: Value, name: string): string[] {
  const texts = requireArray(operand, name).map((text) => {
    if (typeof text !== 'string') {
      throw new CommandError(
        'TypeMismatch',
        `$jsonSchema keyword '${name}' must be an array of strings, but found an element of type ${typeName(text)}`,
      );
    }
    return text;
  });
  if (new Set(texts).size < texts.length)
    throw failed(`$jsonSchema keyword '${name}' array cannot contain duplicate values`);
  return texts;
}

export const ifNumber =
  (test: (n: Numeric) => boolean): SchemaTest =>
  (value) =>
    !isNumeric(value) || test(value);
export const ifText =
  (test: (text: string) => boolean): SchemaTest =>
  (value) =>
    typeof value === 'string' ? test(value) : !(value instanceof BSONSymbol) || test(value.value);
/** @param work it takes, in fields looked at */
export const ifDoc =
  (work: number, test: (doc: Doc) => boolean): SchemaTest =>
  (value) => {
    if (!isDoc(value)) return true;
    spend(work);
    return test(value);
  };
export const ifArray =
  (test: (array: Value[]) => boolean): SchemaTest =>
  (value) => {
    if (!Array.isArray(value)) return true;
    spend(1);
    return test(value);
  };

/** A value with the fields of its documents in order: schemas compare them whatever their order is. */
export function withSortedFields(value: Value): Value {
  spend(workOf(value));
  if (Array.isArray(value)) return value.map(withSortedFields);
  if (!isDoc(value)) return value;
  return new Map(
    [...value].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => [name, withSortedFields(field)]),
  );
}
