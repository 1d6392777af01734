import { Binary } from 'bson';
import { encodeDoc } from '../../bson/encode.js';
import { hashedIndexKey } from '../../bson/hash.js';
import { int32, isDoc, typeName } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { functionOperator } from '../javascript/function.operator.js';
import { NO_METADATA } from '../metadata.js';
import { isNullish } from './operand.js';
import { unary, type OperatorFamily } from './operator.js';

const METADATA = [
  'textScore',
  'searchScore',
  'searchHighlights',
  'geoNearDistance',
  'geoNearPoint',
  'recordId',
  'indexKey',
  'sortKey',
  'randVal',
  'searchScoreDetails',
  'vectorSearchScore',
];

/** Operators that fit in no other family. */
export const miscellaneousOperators: OperatorFamily = {
  $rand: (argument, _, name) => {
    if (!(isDoc(argument) || Array.isArray(argument)) || [...argument.keys()].length > 0) {
      throw new CommandError(3040501, `${name} does not currently accept arguments`);
    }
    return () => Math.random();
  },
  $binarySize: unary((value) => {
    if (isNullish(value)) return null;
    if (typeof value === 'string') return int32(Buffer.byteLength(value));
    if (value instanceof Binary) return int32(value.length());
    throw new CommandError(51276, `$binarySize requires a string or BinData argument, found: ${typeName(value)}`);
  }),
  $bsonSize: unary((value) => {
    if (isNullish(value)) return null;
    if (isDoc(value)) return int32(encodeDoc(value).length);
    throw new CommandError(31393, `$bsonSize requires a document input, found: ${typeName(value)}`);
  }),
  $toHashedIndexKey: unary((value) => hashedIndexKey(value ?? null)),
  $meta: (argument, { env: { metadata = NO_METADATA } }) => {
    if (typeof argument !== 'string') throw new CommandError(17307, '$meta only supports string arguments');
    if (!METADATA.includes(argument)) throw new CommandError(17308, `Unsupported argument to $meta: ${argument}`);
    metadata.want(argument);
    return ({ root }) => (argument === 'randVal' ? Math.random() : metadata.get(root, argument));
  },
  $function: functionOperator,
};
