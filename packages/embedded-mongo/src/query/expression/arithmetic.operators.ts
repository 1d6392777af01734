import { Decimal128, Int32 } from 'bson';
import { decimalParts, divideDecimals, modDecimals, roundDecimal, toDecimal128 } from '../../bson/decimal.js';
import { asDecimal, isNumeric, multiply, type Numeric, subtract, toInt64, toNumber } from '../../bson/number.js';
import { dateOf, int32, msOf, typeName } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { logarithm, naturalLogarithm, power, squareRoot, exponential } from './math.js';
import { isNullish } from './operand.js';
import { binary, operator, unary, variadic, type Operand, type Operator, type OperatorFamily } from './operator.js';
import { rounding, ceil, floor } from './rounding.js';
import { Summation } from './summation.js';

/** An operator on one number; null for what is null or missing. */
export const numeric = (evaluate: (value: Numeric, name: string) => Operand): Operator =>
  unary((value, _, name) => {
    if (isNullish(value)) return null;
    if (!isNumeric(value)) throw new CommandError(28765, `${name} only supports numeric types, not ${typeName(value)}`);
    return evaluate(value, name);
  });

/** An operator on two numbers; null when either is null or missing. */
const numericPair = (code: number | 'TypeMismatch', evaluate: (a: Numeric, b: Numeric) => Operand): Operator =>
  binary((a, b, _, name) => {
    if (isNumeric(a) && isNumeric(b)) return evaluate(a, b);
    if (isNullish(a) || isNullish(b)) return null;
    throw new CommandError(code, `${name} only supports numeric types, not ${typeName(a)} and ${typeName(b)}`);
  });

const isDecimal = (a: Numeric, b: Numeric): boolean => a instanceof Decimal128 || b instanceof Decimal128;

function add(operands: Operand[]): Operand {
  const sum = new Summation();
  let isDate = false;
  for (const operand of operands) {
    if (isNumeric(operand)) sum.add(operand);
    else if (operand instanceof Date) {
      if (isDate) throw new CommandError(16612, 'only one date allowed in an $add expression');
      isDate = true;
      sum.add(msOf(operand));
    } else if (isNullish(operand)) return null;
    else throw new CommandError(16554, `$add only supports numeric or date types, not ${typeName(operand)}`);
  }
  if (!isDate) return sum.result;
  const total = sum.result;
  const ms = roundedInt64(total);
  if (ms === undefined) throw new CommandError('Overflow', 'date overflow in $add');
  return dateOf(ms);
}

/** Doubles are rounded half up, decimals half even. */
function roundedInt64(total: Numeric): bigint | undefined {
  if (typeof total === 'number') return toInt64(Math.round(total));
  const parts = total instanceof Decimal128 ? decimalParts(total) : undefined;
  return toInt64(parts?.kind === 'finite' ? roundDecimal(parts) : total);
}

function difference(a: Operand, b: Operand): Operand {
  if (isNumeric(a) && isNumeric(b)) return subtract(a, b) ?? toNumber(a) - toNumber(b);
  if (isNullish(a) || isNullish(b)) return null;
  if (!(a instanceof Date))
    throw new CommandError('TypeMismatch', `can't $subtract ${typeName(b)} from ${typeName(a)}`);
  if (b instanceof Date) return msOf(a) - msOf(b);
  if (!isNumeric(b)) throw new CommandError('TypeMismatch', `can't $subtract ${typeName(b)} from Date`);
  return dateOf(msOf(a) - (toInt64(b) ?? 0n));
}

function product(operands: Operand[]): Operand {
  let result: Numeric = int32(1);
  for (const operand of operands) {
    if (isNullish(operand)) return null;
    if (!isNumeric(operand)) {
      throw new CommandError('TypeMismatch', `$multiply only supports numeric types, not ${typeName(operand)}`);
    }
    result = multiply(result, operand) ?? toNumber(result) * toNumber(operand);
  }
  return result;
}

function quotient(a: Numeric, b: Numeric): Operand {
  if (toNumber(b) === 0 && isZero(b)) throw new CommandError(16608, "can't $divide by zero");
  if (isDecimal(a, b)) return toDecimal128(divideDecimals(asDecimal(a), asDecimal(b)));
  return toNumber(a) / toNumber(b);
}

const isZero = (value: Numeric): boolean => {
  const parts = asDecimal(value);
  return parts.kind === 'finite' && parts.coefficient === 0n;
};

function remainder(a: Numeric, b: Numeric): Operand {
  if (isZero(b)) throw new CommandError(16610, "can't $mod by zero");
  if (isDecimal(a, b)) return toDecimal128(modDecimals(asDecimal(a), asDecimal(b)));
  // A whole double counts as an int, for shells that have no others, but only as far as ints go.
  if (typeof a === 'number' || (typeof b === 'number' && b !== (b | 0))) {
    return toNumber(a) % toNumber(b);
  }
  if (a instanceof Int32 && b instanceof Int32) return int32((a.value % b.value) | 0);
  const whole = (toInt64(a) as bigint) % (toInt64(b) as bigint);
  return a instanceof Int32 && typeof b === 'number' ? int32(Number(whole)) : whole;
}

function absolute(value: Numeric): Operand {
  if (typeof value === 'number') return Math.abs(value);
  if (value instanceof Decimal128) {
    const parts = decimalParts(value);
    return toDecimal128(parts.kind === 'nan' ? parts : { ...parts, negative: false });
  }
  if (value instanceof Int32) return value.value === -0x8000_0000 ? 0x8000_0000n : int32(Math.abs(value.value));
  if (value === -(2n ** 63n)) throw new CommandError(28680, "can't take $abs of long long min");
  return value < 0n ? -value : value;
}

/** Arithmetic: the result has the wider type of the operands, and widens further rather than overflow. */
export const arithmeticOperators: OperatorFamily = {
  $abs: numeric(absolute),
  $add: variadic(add),
  $ceil: numeric(ceil),
  $divide: numericPair('TypeMismatch', quotient),
  $exp: numeric(exponential),
  $floor: numeric(floor),
  $ln: numeric(naturalLogarithm),
  $log: operator(2, 2, ([value, base]) => {
    if (isNullish(value) || isNullish(base)) return null;
    if (!isNumeric(value)) throw new CommandError(28756, `$log's argument must be numeric, not ${typeName(value)}`);
    if (!isNumeric(base)) throw new CommandError(28757, `$log's base must be numeric, not ${typeName(base)}`);
    return logarithm(value, base);
  }),
  $log10: numeric((value) => logarithm(value, int32(10), [28761, "$log10's"])),
  $mod: numericPair(16611, remainder),
  $multiply: variadic(product),
  $pow: binary((base, exponent) => {
    if (isNullish(base) || isNullish(exponent)) return null;
    if (!isNumeric(base)) throw new CommandError(28762, `$pow's base must be numeric, not ${typeName(base)}`);
    if (!isNumeric(exponent)) {
      throw new CommandError(28763, `$pow's exponent must be numeric, not ${typeName(exponent)}`);
    }
    return power(base, exponent);
  }),
  $round: rounding('half-even'),
  $sqrt: numeric(squareRoot),
  $subtract: binary(difference),
  $trunc: rounding('towards-zero'),
};
