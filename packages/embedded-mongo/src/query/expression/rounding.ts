import { Decimal128, Int32 } from 'bson';
import {
  decimalParts,
  decimalToNumber,
  exactDecimal,
  type FiniteDecimal,
  finite,
  NAN_PARTS,
  pow10,
  shiftRight,
  toDecimal128,
} from '../../bson/decimal.js';
import { isNumeric, toInt64, type Numeric } from '../../bson/number.js';
import { int32, typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { asInt32, isNullish } from './operand.js';
import { operator, type Operator } from './operator.js';

/** How many digits a Decimal128 has. */
const MAX_DIGITS = 34;

type Mode = 'half-even' | 'towards-zero' | 'up' | 'down';

/** Drops the digits after `place` decimals; a negative place rounds to tens, hundreds, … */
function quantize(value: FiniteDecimal, place: number, mode: Mode): FiniteDecimal {
  const { negative, coefficient, exponent } = value;
  const excess = -place - exponent;
  if (excess <= 0) {
    const added = Math.min(-excess, Math.max(0, MAX_DIGITS - String(coefficient).length));
    return finite(negative, coefficient * pow10(added), exponent - added);
  }
  if (mode === 'half-even') return finite(negative, shiftRight(coefficient, excess), -place);
  const unit = pow10(excess);
  const isAway = coefficient % unit !== 0n && (mode === 'up' ? !negative : mode === 'down' && negative);
  return finite(negative, coefficient / unit + (isAway ? 1n : 0n), -place);
}

function roundDecimal(value: Decimal128, place: number, mode: Mode): Decimal128 {
  const parts = decimalParts(value);
  if (parts.kind !== 'finite') return value;
  const rounded = quantize(parts, place, mode);
  return toDecimal128(rounded.coefficient < pow10(34) ? rounded : NAN_PARTS);
}

function roundDouble(value: number, place: number, mode: Mode): number {
  const parts = exactDecimal(value);
  if (parts.kind !== 'finite' || parts.exponent >= -place) return value;
  return decimalToNumber(quantize(parts, place, mode));
}

function roundInteger(value: Int32 | bigint, place: number, mode: Mode, name: string): Numeric {
  if (place >= 0) return value;
  const whole = BigInt(value.valueOf());
  const parts = quantize(finite(whole < 0n, whole < 0n ? -whole : whole, 0), place, mode);
  const rounded = toInt64(toDecimal128(parts));
  if (rounded === undefined) {
    throw new CommandError(
      51080,
      `invalid conversion from Decimal128 result in ${name} resulting from arguments: [${whole}, ${place}]`,
    );
  }
  const isInt = value instanceof Int32 && rounded >= -0x8000_0000n && rounded <= 0x7fff_ffffn;
  return isInt ? int32(Number(rounded)) : rounded;
}

function round(value: Numeric, place: number, mode: Mode, name: string): Numeric {
  if (value instanceof Decimal128) return roundDecimal(value, place, mode);
  return typeof value === 'number' ? roundDouble(value, place, mode) : roundInteger(value, place, mode, name);
}

function placeOf(value: Value, name: string): number {
  if (!isNumeric(value)) throw new CommandError(16004, `can't convert from BSON type ${typeName(value)} to long`);
  const place = asInt32(value);
  if (place === undefined) throw new CommandError(51082, `precision argument to  ${name} must be a integral value`);
  if (place >= -20 && place <= 100) return place;
  throw new CommandError(51083, `cannot apply ${name} with precision value ${place} value must be in [-20, 100]`);
}

/** `$round` and `$trunc`: a number and, optionally, how many decimals to keep. */
export const rounding = (mode: 'half-even' | 'towards-zero'): Operator =>
  operator(1, 2, (operands, _, name) => {
    const [value, place] = operands;
    if (isNullish(value)) return null;
    if (!isNumeric(value)) throw new CommandError(51081, `${name} only supports numeric types, not ${typeName(value)}`);
    if (operands.length === 1) return round(value, 0, mode, name);
    return isNullish(place) ? null : round(value, placeOf(place, name), mode, name);
  });

export const ceil = (value: Numeric): Numeric =>
  typeof value === 'number' ? Math.ceil(value) : quantized(round(value, 0, 'up', '$ceil'));
export const floor = (value: Numeric): Numeric =>
  typeof value === 'number' ? Math.floor(value) : quantized(round(value, 0, 'down', '$floor'));

/** IEEE 754's quantize knows no whole number next to an infinite decimal. */
const quantized = (value: Numeric): Numeric =>
  value instanceof Decimal128 && decimalParts(value).kind === 'infinity' ? toDecimal128(NAN_PARTS) : value;
