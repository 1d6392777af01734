import { Decimal128 } from 'bson';
import { isNumeric, toNumber, type Numeric } from '../../bson/number.js';
import { typeName } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { numeric } from './arithmetic.operators.js';
import { displayNumber } from './display.js';
import { decimalOf, inDoubles } from './math.js';
import { isNullish } from './operand.js';
import { binary, type Operator, type OperatorFamily } from './operator.js';

/** A function of a number within bounds: a decimal gives a decimal, every other type a double. */
function trigonometric(evaluate: (x: number) => number, bounds = '', isInside = (_: number) => true): Operator {
  return numeric((value: Numeric, name: string) => {
    const x = toNumber(value);
    if (!Number.isNaN(x) && !isInside(x)) {
      throw new CommandError(50989, `cannot apply ${name} to ${displayNumber(value)}, value must be in ${bounds}`);
    }
    return inDoubles(value, evaluate);
  });
}

const unitInterval = (x: number): boolean => x >= -1 && x <= 1;

/** Trigonometric operators. */
export const trigonometryOperators: OperatorFamily = {
  $sin: trigonometric(Math.sin, '(-inf,inf)', Number.isFinite),
  $cos: trigonometric(Math.cos, '(-inf,inf)', Number.isFinite),
  $tan: trigonometric(Math.tan, '(-inf,inf)', Number.isFinite),
  $asin: trigonometric(Math.asin, '[-1,1]', unitInterval),
  $acos: trigonometric(Math.acos, '[-1,1]', unitInterval),
  $atan: trigonometric(Math.atan),
  $sinh: trigonometric(Math.sinh),
  $cosh: trigonometric(Math.cosh),
  $tanh: trigonometric(Math.tanh),
  $asinh: trigonometric(Math.asinh),
  $acosh: trigonometric(Math.acosh, '[1,inf]', (x) => x >= 1),
  $atanh: trigonometric(Math.atanh, '[-1,1]', unitInterval),
  $atan2: binary((y, x) => {
    if (isNullish(y)) return null;
    if (!isNumeric(y)) throw new CommandError(51044, `$atan2 only supports numeric types, not ${typeName(y)}`);
    if (isNullish(x)) return null;
    if (!isNumeric(x)) throw new CommandError(51045, `$atan2 only supports numeric types, not ${typeName(x)}`);
    const angle = Math.atan2(toNumber(y), toNumber(x));
    return y instanceof Decimal128 || x instanceof Decimal128 ? decimalOf(angle) : angle;
  }),
  $degreesToRadians: trigonometric((x) => x * (Math.PI / 180)),
  $radiansToDegrees: trigonometric((x) => x * (180 / Math.PI)),
};
