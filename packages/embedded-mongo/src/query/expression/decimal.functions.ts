import {
  type DecimalParts,
  divideDecimals,
  multiplyDecimals,
  finite,
  type FiniteDecimal,
  NAN_PARTS,
  pow10,
  shiftRight,
} from '../../bson/decimal.js';
import { arctangent, cosine, exponentialOf, logarithmOf, PI, PLACES, root, sine, UNIT } from './fixed-point.js';

/** A function of a finite decimal. Results have the 34 digits of a Decimal128, zeros at their end included. */
type Finite = (x: FiniteDecimal) => DecimalParts;

const DIGITS = 34;
const digitsOf = (n: bigint): number => n.toString().length;
/** The exponent of the first digit. */
const magnitudeOf = (x: FiniteDecimal): number => digitsOf(x.coefficient) + x.exponent - 1;
/** So small that sine, tangent and their like are the number itself, to 34 digits; so large that nothing is beside it. */
const TINY = -18;
const HUGE = 40;

const infinity = (negative: boolean): DecimalParts => ({ kind: 'infinity', negative });

/** A number of so many places, to 34 digits. */
export function padded(n: bigint, places = PLACES): DecimalParts {
  const size = n < 0n ? -n : n;
  if (size === 0n) return finite(false, 0n, 0);
  const excess = digitsOf(size) - DIGITS;
  const coefficient = excess > 0 ? shiftRight(size, excess) : size * pow10(-excess);
  return finite(n < 0n, coefficient, excess - places);
}

/** A finite decimal with so many places; smaller ones are cut off. */
function fixed({ negative, coefficient, exponent }: FiniteDecimal, places = PLACES): bigint {
  const shift = exponent + places;
  const size = shift >= 0 ? coefficient * pow10(shift) : coefficient / pow10(-shift);
  return negative ? -size : size;
}

const negated = (x: FiniteDecimal): FiniteDecimal => ({ ...x, negative: !x.negative });

/** For functions that are odd and nearly the number itself where it is small. */
const odd =
  (evaluate: Finite): Finite =>
  (x) => {
    if (x.coefficient === 0n) return x;
    if (magnitudeOf(x) < TINY) return magnitudeOf(x) < -6000 ? x : padded(x.negative ? -x.coefficient : x.coefficient, -x.exponent); // prettier-ignore
    return evaluate(x);
  };

/** The logarithm of a positive number, with PLACES. */
function naturalLog(x: FiniteDecimal): bigint {
  const power = magnitudeOf(x);
  return logarithmOf(fixed({ ...x, exponent: x.exponent - power })) + BigInt(power) * logarithmOf(10n * UNIT);
}

/** The exponential of a number with PLACES, as a coefficient and the power of ten it is multiplied by. */
function exponentialParts(x: bigint): { mantissa: bigint; power: number } {
  const ten = logarithmOf(10n * UNIT);
  const power = x / ten - (x < 0n ? 1n : 0n);
  return { mantissa: exponentialOf(x - power * ten), power: Number(power) };
}

const MOST_EXPONENT = 15_000;

export const exp: Finite = (x) => {
  if (x.coefficient !== 0n && magnitudeOf(x) > 5) return x.negative ? finite(false, 0n, -6176) : infinity(false);
  const { mantissa, power } = exponentialParts(fixed(x));
  return Math.abs(power) > MOST_EXPONENT ? infinity(false) : padded(mantissa, PLACES - power);
};

export const ln: Finite = (x) => padded(naturalLog(x));

/** Whole where the number is a power of ten. */
export const log10: Finite = (x) => {
  const result = padded((naturalLog(x) * UNIT) / logarithmOf(10n * UNIT));
  if (result.kind !== 'finite' || result.exponent >= 0) return result;
  const whole = shiftRight(result.coefficient, -result.exponent);
  return whole * pow10(-result.exponent) === result.coefficient ? finite(result.negative, whole, 0) : result;
};

export const log = (x: FiniteDecimal, base: FiniteDecimal): DecimalParts =>
  padded((naturalLog(x) * UNIT) / naturalLog(base));

/** A positive base to any power. */
export function powerOf(base: FiniteDecimal, exponent: FiniteDecimal): DecimalParts {
  if (magnitudeOf(exponent) > 40) return exponential(naturalLog(base) > 0n !== exponent.negative);
  const { mantissa, power } = exponentialParts((naturalLog(base) * fixed(exponent)) / UNIT);
  if (Math.abs(power) > MOST_EXPONENT) return exponential(power > 0);
  return padded(mantissa, PLACES - power);
}

const exponential = (isLarge: boolean): DecimalParts => (isLarge ? infinity(false) : finite(false, 0n, -6176));

/** Sine and cosine need as many digits of pi as the number has before its point. */
const angleOf = (x: FiniteDecimal): bigint => {
  const places = PLACES + Math.max(0, magnitudeOf(x) + 1);
  return fixed(x, places) % (2n * PI(places)) / pow10(places - PLACES); // prettier-ignore
};

export const sin = odd((x) => padded(sine(angleOf(x))));
export const cos: Finite = (x) => padded(cosine(angleOf(x)));
const tangent = odd((x) => padded((sine(angleOf(x)) * UNIT) / cosine(angleOf(x))));
/** The tangent of 0 is 0E-40 there. */
export const tan: Finite = (x) => (x.coefficient === 0n ? { ...x, exponent: -40 } : tangent(x));

const halfPi = (): bigint => PI(PLACES) / 2n;

const arcsine = (x: FiniteDecimal): bigint => {
  const n = fixed(x);
  const other = UNIT * UNIT - n * n;
  if (other <= 0n) return n < 0n ? -halfPi() : halfPi();
  return arctangent((n * UNIT) / root(other));
};

export const asin = odd((x) => padded(arcsine(x)));
export const acos: Finite = (x) => padded(halfPi() - arcsine(x));
export const atan = odd((x) => {
  if (magnitudeOf(x) > HUGE) return padded(x.negative ? -halfPi() : halfPi());
  return padded(arctangent(fixed(x)));
});

/** The angle of a point; neither of its coordinates is zero or infinite. */
export function atan2(y: FiniteDecimal, x: FiniteDecimal): DecimalParts {
  const ratio = divideDecimals({ ...y, negative: false }, { ...x, negative: false });
  if (ratio.kind !== 'finite') return NAN_PARTS;
  const steep = magnitudeOf(ratio);
  if (!x.negative && steep < TINY) return { ...ratio, negative: y.negative };
  const acute = steep > HUGE ? halfPi() : arctangent(fixed(ratio));
  const angle = x.negative ? PI(PLACES) - acute : acute;
  return padded(y.negative ? -angle : angle);
}

/** So many eighths of a turn. */
export const eighths = (count: number): DecimalParts => padded((BigInt(count) * PI(PLACES)) / 4n);

export const sinh = odd((x) => {
  if (magnitudeOf(x) > 1) return halved(exp({ ...x, negative: false }), x.negative);
  const up = exponentialOf(fixed(x));
  return padded((up - (UNIT * UNIT) / up) / 2n);
});
export const cosh: Finite = (x) => {
  if (magnitudeOf(x) > 1) return halved(exp({ ...x, negative: false }), false);
  const up = exponentialOf(fixed(x));
  return padded((up + (UNIT * UNIT) / up) / 2n);
};
const halved = (x: DecimalParts, negative: boolean): DecimalParts =>
  x.kind === 'finite' ? finite(negative, x.coefficient * 5n, x.exponent - 1) : infinity(negative);

export const tanh = odd((x) => {
  if (magnitudeOf(x) > 1) return padded(x.negative ? -UNIT : UNIT);
  const square = exponentialOf(2n * fixed(x));
  return padded(((square - UNIT) * UNIT) / (square + UNIT));
});

export const asinh = odd((x) => {
  if (x.negative) return negatedResult(asinh(negated(x)));
  if (magnitudeOf(x) > HUGE) return padded(naturalLog(x) + logarithmOf(2n * UNIT));
  const n = fixed(x);
  return padded(logarithmOf(n + root(n * n + UNIT * UNIT)));
});
export const acosh: Finite = (x) => {
  if (magnitudeOf(x) > HUGE) return padded(naturalLog(x) + logarithmOf(2n * UNIT));
  const n = fixed(x);
  return padded(logarithmOf(n + root(n * n - UNIT * UNIT)));
};
export const atanh = odd((x) => {
  const n = fixed(x);
  if (n * n === UNIT * UNIT) return infinity(x.negative);
  return padded(logarithmOf(((UNIT + n) * UNIT) / (UNIT - n)) / 2n);
});
const RADIANS_OF_DEGREE = finite(false, 1745329251994329576923690768488613n, -35);
const DEGREES_OF_RADIAN = finite(false, 5729577951308232087679815481410517n, -32);
export const degreesToRadians: Finite = (x) => multiplyDecimals(x, RADIANS_OF_DEGREE);
export const radiansToDegrees: Finite = (x) => multiplyDecimals(x, DEGREES_OF_RADIAN);

const negatedResult = (x: DecimalParts): DecimalParts => (x.kind === 'nan' ? x : { ...x, negative: !x.negative });
