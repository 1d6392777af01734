import { Decimal128, Int32 } from 'bson';
import {
  addDecimals,
  type DecimalParts,
  decimalParts,
  exactDecimal,
  finite,
  toDecimal128,
} from '../../bson/decimal.js';
import { INT64_MAX, INT64_MIN, type Numeric } from '../../bson/number.js';
import { int32 } from '../../bson/value.js';

/** A sum and what it lost. */
function twoSum(a: number, b: number): readonly [sum: number, lost: number] {
  const sum = a + b;
  const part = sum - a;
  return [sum, a - (sum - part) + (b - part)];
}

/** A double in 34 digits, without the zeros after the point that say nothing. */
function asDecimal(double: number): DecimalParts {
  const parts = decimalParts(toDecimal128(exactDecimal(double)));
  if (parts.kind !== 'finite') return parts;
  let { coefficient, exponent } = parts;
  if (coefficient === 0n) return finite(false, 0n, 0);
  while (exponent < 0 && coefficient % 10n === 0n) {
    coefficient /= 10n;
    exponent++;
  }
  return finite(parts.negative, coefficient, exponent);
}

/**
 * A sum of numbers of all types: of the widest type among them, integers exact (a double once they pass 64 bits),
 * doubles compensated so that the order does not matter to the last digit (Neumaier).
 */
export class Summation {
  /** What the int32s make, exact as long as it is small; the rest of the integers is in `large`. */
  private small = 0;
  private large = 0n;
  private double = 0;
  private lost = 0;
  private decimal: DecimalParts | undefined;
  private widest: 'int' | 'long' | 'double' = 'int';

  add(value: Numeric): void {
    if (value instanceof Int32) this.addInt32(value.value);
    else if (typeof value === 'bigint') {
      this.large += value;
      if (this.widest === 'int') this.widest = 'long';
    } else if (value instanceof Decimal128) {
      this.decimal = this.decimal ? addDecimals(this.decimal, decimalParts(value)) : decimalParts(value);
    } else {
      this.addDouble(value);
      this.widest = 'double';
    }
  }

  private addInt32(value: number): void {
    this.small += value;
    if (Math.abs(this.small) < 2 ** 52) return;
    this.large += BigInt(this.small);
    this.small = 0;
  }

  private get integers(): bigint {
    return this.large + BigInt(this.small);
  }

  private addDouble(value: number): void {
    const sum = this.double + value;
    this.lost += Math.abs(this.double) >= Math.abs(value) ? this.double - sum + value : value - sum + this.double;
    this.double = sum;
  }

  /** The sum as a double, or as a decimal when one was among the numbers. */
  get total(): number | Decimal128 {
    return this.decimal ? toDecimal128(addDecimals(this.decimal, this.nonDecimal())) : this.asDouble();
  }

  get result(): Numeric {
    if (this.decimal || this.widest === 'double') return this.total;
    const { integers } = this;
    if (integers < INT64_MIN || integers > INT64_MAX) return Number(integers);
    const isInt = this.widest === 'int' && integers >= -0x8000_0000n && integers <= 0x7fff_ffffn;
    return isInt ? int32(Number(integers)) : integers;
  }

  private asDouble(): number {
    if (!Number.isFinite(this.double)) return this.double;
    const whole = this.double + Number(this.integers);
    return whole + this.lost;
  }

  private nonDecimal(): DecimalParts {
    const { integers } = this;
    if (this.widest !== 'double') return finite(integers < 0n, integers < 0n ? -integers : integers, 0);
    if (!Number.isFinite(this.double)) return exactDecimal(this.double);
    // MongoDB keeps one pair of doubles for all that is no decimal, each of which becomes a decimal of 34 digits
    const whole = Number(integers);
    const [sum, lost] = twoSum(this.double, whole);
    const [high, low] = twoSum(sum, lost + this.lost + Number(integers - BigInt(whole)));
    return addDecimals(asDecimal(high), asDecimal(low));
  }
}
