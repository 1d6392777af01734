import { Decimal128, Int32, ObjectId, Timestamp } from 'bson';
import { decimalParts, exactDecimal, toDecimal128, roundedDecimal } from '../../bson/decimal.js';
import { asDecimal, INT64_MAX, INT64_MIN, isNumeric, type Numeric, toInt64, toNumber } from '../../bson/number.js';
import { dateOf, int32, msOf, typeName, type TypeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { parseDate } from './date-string.js';
import { displayDouble } from './display.js';
import { isTruthy } from './operand.js';
import { UTC } from './time-zone.js';

const failure = (message: string): CommandError => new CommandError('ConversionFailure', message);
const IN_CONVERT = 'in $convert with no onError value';

type Conversion = (value: Value) => Value | undefined;

/** The conversions to each type; undefined where there is none from the type of the value. */
const CONVERSIONS: Partial<Record<TypeName | 'missing', Conversion>> = {
  bool: (value) => (isNumeric(value) || typeof value === 'boolean' ? isTruthy(value) : true),
  date: toDate,
  decimal: toDecimal,
  double: toDouble,
  int(value) {
    const whole = toInteger(value, -0x8000_0000n, 0x7fff_ffffn);
    return whole === undefined ? undefined : int32(Number(whole));
  },
  long: (value) => toInteger(value, INT64_MIN, INT64_MAX),
  objectId: toObjectId,
  string: toText,
};

/** Converts a value, as `$convert` does. @throws CommandError ConversionFailure when it cannot be */
export function convert(value: Value, type: TypeName | 'missing'): Value {
  const converted = CONVERSIONS[type]?.(value);
  if (converted !== undefined) return converted;
  throw failure(`Unsupported conversion from ${typeName(value)} to ${type} ${IN_CONVERT}`);
}

function toInteger(value: Value, min: bigint, max: bigint): bigint | undefined {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'string') return parseInteger(value, min, max);
  if (value instanceof Date && max === INT64_MAX) return msOf(value);
  if (!isNumeric(value)) return undefined;
  const double = toNumber(value);
  if (Number.isNaN(double)) throw failure(`Attempt to convert NaN value to integer type ${IN_CONVERT}`);
  if (isInfinite(value)) throw failure(`Attempt to convert infinity value to integer type ${IN_CONVERT}`);
  const whole = toInt64(value);
  if (whole !== undefined && whole >= min && whole <= max && fits(value, min, max)) return whole;
  const shown = typeof value === 'number' ? displayDouble(value) : value.toString();
  throw failure(`Conversion would overflow target type ${IN_CONVERT}: ${typeof value === 'bigint' ? '' : shown}`);
}

const isInfinite = (value: Numeric): boolean => asDecimal(value).kind === 'infinity';

/** A double just above the largest int is refused although it would be cut off to it. */
const fits = (value: Numeric, min: bigint, max: bigint): boolean =>
  typeof value !== 'number' ||
  (value >= Number(min) && (max === INT64_MAX ? value < Number(max) : value <= Number(max)));

function assertNotHex(text: string): void {
  if (/^0x/.test(text)) throw failure(`Illegal hexadecimal input ${IN_CONVERT}: ${text}`);
}

const notANumber = (text: string, reason: string): CommandError =>
  failure(`Failed to parse number '${text}' ${IN_CONVERT}: ${reason}`);

const reasonOf = (text: string): string =>
  text === '' ? 'No digits' : /^[+-]?\d/.test(text) ? 'Did not consume whole string.' : 'Did not consume any digits';

function parseInteger(text: string, min: bigint, max: bigint): bigint {
  assertNotHex(text);
  if (!/^[+-]?\d+$/.test(text)) throw notANumber(text, reasonOf(text));
  const whole = BigInt(text.replace(/^\+/, ''));
  if (whole < min || whole > max) throw notANumber(text, 'Overflow');
  return whole;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const INFINITE = /^([+-])?inf(inity)?$/i;

function toDouble(value: Value): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof Date) return Number(msOf(value));
  if (typeof value === 'string') return parseDouble(value);
  if (!isNumeric(value)) return undefined;
  const double = toNumber(value);
  if (!Number.isFinite(double) && value instanceof Decimal128 && decimalParts(value).kind === 'finite') {
    throw failure(`Conversion would overflow target type ${IN_CONVERT}: ${value.toString()}`);
  }
  return double;
}

function parseDouble(text: string): number {
  assertNotHex(text);
  if (/^[+-]?nan$/i.test(text)) return NaN;
  const infinite = INFINITE.exec(text);
  if (infinite) return infinite[1] === '-' ? -Infinity : Infinity;
  if (!NUMBER.test(text)) throw notANumber(text, reasonOf(text));
  const double = Number(text);
  if (!Number.isFinite(double)) throw notANumber(text, 'Out of range');
  return double;
}

function toDecimal(value: Value): Decimal128 | undefined {
  if (typeof value === 'boolean') return toDecimal128(exactDecimal(value ? 1 : 0));
  if (value instanceof Date) return toDecimal128(asDecimal(msOf(value)));
  if (typeof value === 'number') return toDecimal128(roundedDecimal(value));
  if (isNumeric(value)) return toDecimal128(asDecimal(value));
  if (typeof value !== 'string') return undefined;
  assertNotHex(value);
  try {
    return Decimal128.fromStringWithRounding(value);
  } catch {
    throw notANumber(value, value === '' ? 'Empty string' : 'Failed to parse string to decimal');
  }
}

function toText(value: Value): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') {
    if (Number.isNaN(value)) return 'NaN';
    return Number.isFinite(value) ? displayDouble(value) : value > 0 ? 'Infinity' : '-Infinity';
  }
  if (value instanceof Int32 || value instanceof Decimal128) return value.toString();
  if (value instanceof ObjectId) return value.toHexString();
  return value instanceof Date ? value.toISOString() : undefined;
}

function toObjectId(value: Value): ObjectId | undefined {
  if (value instanceof ObjectId) return value;
  if (typeof value !== 'string') return undefined;
  if (/^[0-9a-f]{24}$/i.test(value)) return new ObjectId(value);
  const reason =
    value.length === 24
      ? 'Invalid character found in hex string'
      : `Invalid string length for parsing to OID, expected 24 but found ${value.length}`;
  throw failure(`Failed to parse objectId '${value}' ${IN_CONVERT}: ${reason}`);
}

function toDate(value: Value): Date | undefined {
  if (value instanceof Date) return value;
  if (typeof value === 'string') return parseDate(value, UTC, false);
  if (value instanceof ObjectId) return value.getTimestamp();
  if (value instanceof Timestamp) return new Date(value.t * 1000);
  if (value instanceof Int32 || !isNumeric(value)) return undefined;
  return dateOf(toInteger(value, INT64_MIN, INT64_MAX) as bigint);
}
