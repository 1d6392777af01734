import { decimalParts, divideDecimals, finite, toDecimal128 } from '../../bson/decimal.js';
import { isNumeric, toNumber } from '../../bson/number.js';
import type { Operand } from '../expression/operator.js';
import { Summation } from '../expression/summation.js';
import { type AccumulatorFamily, ofValue, type State } from './accumulator.js';

/** The sum of the numbers among the values; int 0 of none. */
export class Sum implements State {
  private readonly sum = new Summation();

  add(value: Operand): void {
    if (isNumeric(value)) this.sum.add(value);
  }

  result(): Operand {
    return this.sum.result;
  }
}

/** The mean of the numbers among the values: a double, or a decimal when one is among them; null of none. */
export class Average implements State {
  private readonly sum = new Summation();
  private count = 0;

  add(value: Operand): void {
    if (!isNumeric(value)) return;
    this.sum.add(value);
    this.count++;
  }

  result(): Operand {
    if (this.count === 0) return null;
    const { total } = this.sum;
    if (typeof total === 'number') return total / this.count;
    return toDecimal128(divideDecimals(decimalParts(total), finite(false, BigInt(this.count), 0)));
  }
}

/** The standard deviation of the numbers among the values, always a double (Welford's method). */
export class StandardDeviation implements State {
  private count = 0;
  private mean = 0;
  private squares = 0;

  constructor(private readonly isSample: boolean) {}

  add(value: Operand): void {
    if (!isNumeric(value)) return;
    const x = toNumber(value);
    this.count++;
    const delta = x - this.mean;
    this.mean += delta / this.count;
    this.squares += delta * (x - this.mean);
  }

  result(): Operand {
    const degrees = this.isSample ? this.count - 1 : this.count;
    if (degrees <= 0) return null;
    return Math.sqrt(this.squares / degrees);
  }
}

/** Accumulators of numbers: other values do not count. */
export const numericAccumulators: AccumulatorFamily = {
  $sum: ofValue(() => new Sum()),
  $avg: ofValue(() => new Average()),
  $stdDevPop: ofValue(() => new StandardDeviation(false)),
  $stdDevSamp: ofValue(() => new StandardDeviation(true)),
};
