import type { Collation } from '../../bson/collation.js';
import { MaxKey, MinKey } from 'bson';
import { compareValues } from '../../bson/compare.js';
import type { Value } from '../../bson/value.js';
import { valueText } from '../value-text.js';

/** A stretch of the values of one index field, in ascending order whatever the index's direction. */
export interface Interval {
  readonly low: Value;
  readonly isLowIn: boolean;
  readonly high: Value;
  readonly isHighIn: boolean;
}

export const MIN = new MinKey();
export const MAX = new MaxKey();

/** Every value. */
export const ALL: readonly Interval[] = [{ low: MIN, isLowIn: true, high: MAX, isHighIn: true }];

export const point = (value: Value): Interval => ({ low: value, isLowIn: true, high: value, isHighIn: true });

export const interval = (low: Value, isLowIn: boolean, high: Value, isHighIn: boolean): Interval => ({
  low,
  isLowIn,
  high,
  isHighIn,
});

export const isAll = (intervals: readonly Interval[]): boolean => intervals === ALL;

export const isPoint = ({ low, high, isLowIn, isHighIn }: Interval, collation?: Collation): boolean =>
  isLowIn && isHighIn && (low === high || compareValues(low, high, collation) === 0);

/** Sorted and merged: what overlaps or touches becomes one. */
export function union(intervals: readonly Interval[], collation?: Collation): Interval[] {
  const sorted = [...intervals].sort((a, b) => compareLow(a, b, collation));
  const merged: Interval[] = [];
  for (const next of sorted) {
    const last = merged.at(-1);
    if (!last || !touches(last, next, collation)) merged.push(next);
    else if (compareHigh(last, next, collation) < 0) {
      merged[merged.length - 1] = { ...last, high: next.high, isHighIn: next.isHighIn };
    }
  }
  return merged;
}

/** What is in both. */
export function intersect(a: readonly Interval[], b: readonly Interval[], collation?: Collation): readonly Interval[] {
  if (isAll(a)) return b;
  if (isAll(b)) return a;
  const common: Interval[] = [];
  for (const x of a) {
    for (const y of b) {
      const lower = compareLow(x, y, collation) < 0 ? y : x;
      const upper = compareHigh(x, y, collation) < 0 ? x : y;
      const order = compareValues(lower.low, upper.high, collation);
      if (order > 0 || (order === 0 && !(lower.isLowIn && upper.isHighIn))) continue;
      common.push({ low: lower.low, isLowIn: lower.isLowIn, high: upper.high, isHighIn: upper.isHighIn });
    }
  }
  return union(common, collation);
}

/** What is in none of them; they must be sorted and apart. */
export function complement(intervals: readonly Interval[]): Interval[] {
  const gaps: Interval[] = [];
  let low: Value = MIN;
  let isLowIn = true;
  for (const each of intervals) {
    gaps.push({ low, isLowIn, high: each.low, isHighIn: !each.isLowIn });
    low = each.high;
    isLowIn = !each.isHighIn;
  }
  gaps.push({ low, isLowIn, high: MAX, isHighIn: true });
  return gaps;
}

/** As explain prints it; in the direction of the scan. */
export const intervalText = ({ low, isLowIn, high, isHighIn }: Interval, isReversed: boolean): string =>
  isReversed
    ? `${isHighIn ? '[' : '('}${valueText(high)}, ${valueText(low)}${isLowIn ? ']' : ')'}`
    : `${isLowIn ? '[' : '('}${valueText(low)}, ${valueText(high)}${isHighIn ? ']' : ')'}`;

const compareLow = (a: Interval, b: Interval, collation?: Collation): number =>
  compareValues(a.low, b.low, collation) || Number(b.isLowIn) - Number(a.isLowIn);

const compareHigh = (a: Interval, b: Interval, collation?: Collation): number =>
  compareValues(a.high, b.high, collation) || Number(a.isHighIn) - Number(b.isHighIn);

function touches(a: Interval, b: Interval, collation?: Collation): boolean {
  const order = compareValues(b.low, a.high, collation);
  return order < 0 || (order === 0 && (a.isHighIn || b.isLowIn));
}
