/**
 * The first of the places from `low` up to `high` that is not before what is looked for; `high` when all are.
 * @param isBefore true for a first part of the places, false for the rest
 */
export function firstNotBefore(low: number, high: number, isBefore: (place: number) => boolean): number {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
