import { Decimal128 } from 'bson';
import { type DecimalParts, type FiniteDecimal, NAN_PARTS, toDecimal128 } from '../../bson/decimal.js';
import { asDecimal, isNumeric, toNumber, type Numeric } from '../../bson/number.js';
import { typeName } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { numeric } from './arithmetic.operators.js';
import { displayNumber } from './display.js';
import * as decimals from './decimal.functions.js';
import { inOwnType, nearestDouble } from './math.js';
import { isNullish } from './operand.js';
import { binary, type Operator, type OperatorFamily } from './operator.js';

/** A function of a number within bounds: a decimal gives a decimal, every other type a double. */
function trigonometric(
  ofDouble: (x: number) => number,
  ofDecimal: (x: FiniteDecimal) => DecimalParts,
  bounds = '',
  isInside = (_: number) => true,
): Operator {
  return numeric((value: Numeric, name: string) => {
    const x = nearestDouble(value);
    if (!Number.isNaN(x) && !isInside(x)) {
      throw new CommandError(50989, `cannot apply ${name} to ${displayNumber(value)}, value must be in ${bounds}`);
    }
    return inOwnType(value, ofDouble, ofDecimal);
  });
}

const unitInterval = (x: number): boolean => x >= -1 && x <= 1;

/** Trigonometric operators. */
export const trigonometryOperators: OperatorFamily = {
  $sin: trigonometric(Math.sin, decimals.sin, '(-inf,inf)', Number.isFinite),
  $cos: trigonometric(Math.cos, decimals.cos, '(-inf,inf)', Number.isFinite),
  $tan: trigonometric(Math.tan, decimals.tan, '(-inf,inf)', Number.isFinite),
  $asin: trigonometric(Math.asin, decimals.asin, '[-1,1]', unitInterval),
  $acos: trigonometric(Math.acos, decimals.acos, '[-1,1]', unitInterval),
  $atan: trigonometric(Math.atan, decimals.atan),
  $sinh: trigonometric(Math.sinh, decimals.sinh),
  $cosh: trigonometric(Math.cosh, decimals.cosh),
  $tanh: trigonometric(Math.tanh, decimals.tanh),
  $asinh: trigonometric(Math.asinh, decimals.asinh),
  $acosh: trigonometric(Math.acosh, decimals.acosh, '[1,inf]', (x) => x >= 1),
  $atanh: trigonometric(Math.atanh, decimals.atanh, '[-1,1]', unitInterval),
  $atan2: binary((y, x) => {
    if (isNullish(y)) return null;
    if (!isNumeric(y)) throw new CommandError(51044, `$atan2 only supports numeric types, not ${typeName(y)}`);
    if (isNullish(x)) return null;
    if (!isNumeric(x)) throw new CommandError(51045, `$atan2 only supports numeric types, not ${typeName(x)}`);
    return y instanceof Decimal128 || x instanceof Decimal128
      ? decimalAngle(y, x)
      : Math.atan2(toNumber(y), toNumber(x));
  }),
  $degreesToRadians: trigonometric((x) => x * (Math.PI / 180), decimals.degreesToRadians),
  $radiansToDegrees: trigonometric((x) => x * (180 / Math.PI), decimals.radiansToDegrees),
};

/** With a zero or an infinite coordinate the angle is a number of eighths of a turn. */
function decimalAngle(y: Numeric, x: Numeric): Decimal128 {
  const [height, width] = [asDecimal(y), asDecimal(x)];
  if (height.kind === 'nan' || width.kind === 'nan') return toDecimal128(NAN_PARTS);
  const isPlain = (parts: DecimalParts): parts is FiniteDecimal => parts.kind === 'finite' && parts.coefficient !== 0n;
  if (isPlain(height) && isPlain(width)) return toDecimal128(decimals.atan2(height, width));
  const angle = Math.atan2(nearestDouble(y), nearestDouble(x));
  const eighths = Math.round(angle / (Math.PI / 4));
  if (eighths !== 0) return toDecimal128(decimals.eighths(eighths));
  return toDecimal128({ ...decimals.padded(0n), negative: Object.is(angle, -0) } as FiniteDecimal);
}
