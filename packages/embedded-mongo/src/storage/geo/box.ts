/** A box with its sides along the axes, of as many dimensions as its corners have coordinates. */
export interface Box {
  readonly low: readonly number[];
  readonly high: readonly number[];
}

export const boxOf = (points: readonly (readonly number[])[]): Box => ({
  low: points[0]!.map((_, axis) => points.reduce((least, point) => Math.min(least, point[axis]!), Infinity)),
  high: points[0]!.map((_, axis) => points.reduce((most, point) => Math.max(most, point[axis]!), -Infinity)),
});

/** The smallest box that has all of the boxes in it. */
export const hull = (boxes: readonly Box[]): Box => boxOf(boxes.flatMap(({ low, high }) => [low, high]));

export const padded = ({ low, high }: Box, by: number): Box => ({
  low: low.map((value) => value - by),
  high: high.map((value) => value + by),
});
