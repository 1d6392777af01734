import { compareValues, equalValues } from '../../../bson/compare.js';
import { isDoc, type Value } from '../../../bson/value.js';
import { atLeast, atMost, count, type Keyword, type KeywordFamily, rest } from './keyword.js';
import { ifArray, mismatch, requireBoolean, requireDoc, withSortedFields } from './operands.js';

const items: Keyword = (operand, _schema, _name, compile) => {
  if (isDoc(operand)) {
    const test = compile(operand);
    return ifArray((array) => array.every(test));
  }
  if (!Array.isArray(operand)) throw mismatch('items', 'an array or an object');
  const tests = operand.map((schema) => compile(requireDoc(schema, 'items')));
  return ifArray((array) => tests.every((test, i) => i >= array.length || test(array[i]!)));
};

const additionalItems: Keyword = (operand, schema, name, compile) => {
  const test = rest(operand, name, compile);
  const described = schema.get('items');
  if (!Array.isArray(described)) return undefined;
  return ifArray((array) => array.slice(described.length).every(test));
};

const uniqueItems: Keyword = (operand) => {
  if (!requireBoolean(operand, 'uniqueItems')) return undefined;
  return ifArray((array) => {
    const sorted = array.map(withSortedFields).sort((a, b) => compareValues(a, b));
    return sorted.every((value, i) => i === 0 || !equalValues(sorted[i - 1]!, value));
  });
};

const itemsOf = (value: Value): number | undefined => (Array.isArray(value) ? value.length : undefined);

/** Keywords on arrays. */
export const arrayKeywords: KeywordFamily = {
  items,
  additionalItems,
  minItems: count(itemsOf, atLeast),
  maxItems: count(itemsOf, atMost),
  uniqueItems,
};
