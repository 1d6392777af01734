import { BSONSymbol, Code, Decimal128, Int32, Timestamp } from 'bson';
import { typeName } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { displayDouble } from './display.js';
import { isNullish } from './operand.js';
import type { Operand } from './operator.js';

/** The text of a value where MongoDB takes any scalar for a string; null and missing are empty. */
export function textOf(value: Operand): string {
  if (typeof value === 'string') return value;
  if (isNullish(value)) return '';
  if (typeof value === 'number') return displayDouble(value);
  if (typeof value === 'bigint' || value instanceof Int32 || value instanceof Decimal128) return value.toString();
  if (value instanceof BSONSymbol) return value.value;
  if (value instanceof Code) return String(value.code);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Timestamp) return `Timestamp(${value.t}, ${value.i})`;
  throw new CommandError(16007, `can't convert from BSON type ${typeName(value)} to String`);
}
