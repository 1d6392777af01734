import { int32, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';

/** E48, E96 and E192 are the powers of a root of ten in three digits, but for one that history rounded otherwise. */
const logarithmic = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.round(100 * 10 ** (i / count))).map((n) => (n === 919 ? 920 : n));

const E24 = [10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91];
const R20 = [100, 112, 125, 140, 160, 180, 200, 224, 250, 280, 315, 355, 400, 450, 500, 560, 630, 710, 800, 900];
const R40_BETWEEN = [
  106, 118, 132, 150, 170, 190, 212, 236, 265, 300, 335, 375, 425, 475, 530, 600, 670, 750, 850, 950,
];
const R80_BETWEEN = [
  ...[103, 109, 115, 122, 128, 136, 145, 155, 165, 175, 185, 195, 206, 218, 230, 243, 258, 272, 290, 307],
  ...[325, 345, 365, 387, 412, 437, 462, 487, 515, 545, 575, 615, 650, 690, 730, 775, 825, 875, 925, 975],
];
const ascending = (a: number, b: number): number => a - b;
const R40 = [...R20, ...R40_BETWEEN].sort(ascending);
const every = (series: readonly number[], n: number): number[] => series.filter((_, i) => i % n === 0);

/** The preferred numbers of each series within one power of ten. */
const SERIES: Readonly<Record<string, readonly number[]>> = {
  R5: every(R20, 4),
  R10: every(R20, 2),
  R20,
  R40,
  R80: [...R40, ...R80_BETWEEN].sort(ascending),
  '1-2-5': [10, 20, 50],
  E6: every(E24, 4),
  E12: every(E24, 2),
  E24,
  E48: logarithmic(48),
  E96: logarithmic(96),
  E192: logarithmic(192),
};

/** Rounds to the next preferred number; zero stays. */
export interface Granularity {
  roundUp(value: number): number;
  roundDown(value: number): number;
  /** A boundary as it is told. */
  valueOf(boundary: number): Value;
}

/** @throws CommandError 40257 for a series that is not known */
export function granularityOf(name: string): Granularity {
  if (name === 'POWERSOF2') return POWERS_OF_2;
  const series = Object.hasOwn(SERIES, name) ? SERIES[name] : undefined;
  if (series === undefined) throw new CommandError(40257, `Unknown rounding granularity '${name}'`);
  const [first = 1] = series;
  /** The numbers of the series around a value, in ascending order. */
  const around = (value: number): number[] => {
    const power = Math.floor(Math.log10(value / first));
    return [power - 1, power, power + 1].flatMap((p) => series.map((n) => Number((n * 10 ** p).toPrecision(12))));
  };
  return {
    roundUp: (value) => (value === 0 ? 0 : (around(value).find((n) => n > value) ?? value)),
    roundDown: (value) => (value === 0 ? 0 : (around(value).findLast((n) => n < value) ?? value)),
    valueOf: (boundary) => boundary,
  };
}

const POWERS_OF_2: Granularity = {
  roundUp: (value) => (value === 0 ? 0 : 2 ** (Math.floor(Math.log2(value)) + 1)),
  roundDown: (value) => (value === 0 ? 0 : 2 ** (Math.ceil(Math.log2(value)) - 1)),
  valueOf: (power) => (power < 1 || power >= 2 ** 63 ? power : power < 2 ** 31 ? int32(power) : BigInt(power)),
};
