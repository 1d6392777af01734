import type { Box } from './box.js';

/**
 * A space cut into cells: one at level 0, each halved along every axis at the next. A cell's code is its place on the
 * Z-order curve of its level, so that a cell of any level is one stretch of codes at each finer one.
 */
export class CellSpace {
  private readonly dimensions: number;
  /** The finest level; its codes have 48 bits. */
  private readonly depth: number;

  /** @param space what lies outside of it counts as on its edge */
  constructor(private readonly space: Box) {
    this.dimensions = space.low.length;
    this.depth = 48 / this.dimensions;
  }

  /** The cells a thing is kept in: the smallest of which no more than two along each axis reach it. */
  cellsOf(box: Box): Cell[] {
    const [low, high] = [this.place(box.low), this.place(box.high)];
    let level = this.depth;
    while (level > 0 && low.some((value, axis) => high[axis]! - value > 1)) {
      level--;
      for (const corner of [low, high]) corner.forEach((value, axis) => (corner[axis] = Math.floor(value / 2)));
    }
    let corners: number[][] = [[]];
    low.forEach((value, axis) => {
      const values = value === high[axis] ? [value] : [value, high[axis]!];
      corners = corners.flatMap((corner) => values.map((each) => [...corner, each]));
    });
    return corners.map((corner) => ({ level, code: codeOf(corner, level) }));
  }

  /** The stretches of codes, at every level, that have all that reaches a box. */
  rangesOf(box: Box): CellRange[] {
    const cover = this.coverOf(box);
    const ranges: CellRange[] = [];
    for (let level = 0; level <= this.depth; level++) {
      const stretches = cover.map(({ level: own, code }) => {
        const factor = 2 ** (this.dimensions * (level - own));
        const from = Math.floor(code * factor);
        return { level, from, to: level >= own ? from + factor : from + 1 };
      });
      stretches.sort((a, b) => a.from - b.from);
      for (const next of stretches) {
        const last = ranges.at(-1);
        if (last?.level === level && next.from <= last.to)
          ranges[ranges.length - 1] = { ...last, to: Math.max(last.to, next.to) };
        else ranges.push(next);
      }
    }
    return ranges;
  }

  /** A few cells that have all of a box. */
  private coverOf(box: Box): Cell[] {
    const [low, high] = [this.place(box.low), this.place(box.high)];
    let cover: (Cell & { corner: number[] })[] = [{ level: 0, code: 0, corner: low.map(() => 0) }];
    for (let level = 1; level <= this.depth; level++) {
      const scale = 2 ** (this.depth - level);
      const finer = cover.flatMap(({ corner }) => {
        let corners: number[][] = [[]];
        corner.forEach((value, axis) => {
          const halves = [value * 2, value * 2 + 1].filter(
            (half) => half * scale <= high[axis]! && (half + 1) * scale > low[axis]!,
          );
          corners = corners.flatMap((start) => halves.map((half) => [...start, half]));
        });
        return corners.map((each) => ({ level, code: codeOf(each, level), corner: each }));
      });
      if (finer.length > MAX_COVER) break;
      cover = finer;
    }
    return cover;
  }

  /** Where a point is, counted in cells of the finest level. */
  private place(point: readonly number[]): number[] {
    const { low, high } = this.space;
    const cells = 2 ** this.depth;
    return point.map((value, axis) => {
      const place = Math.floor(((value - low[axis]!) / (high[axis]! - low[axis]!)) * cells);
      return Math.min(Math.max(place, 0), cells - 1);
    });
  }
}

/** How many cells a cover has at most: more fit more closely, and are more stretches to read. */
const MAX_COVER = 32;

export interface Cell {
  readonly level: number;
  readonly code: number;
}

/** The cells of one level with codes at or after `from` and before `to`. */
export interface CellRange {
  readonly level: number;
  readonly from: number;
  readonly to: number;
}

/** The bits of the coordinates in turn, those of the greatest weight first. */
function codeOf(corner: readonly number[], level: number): number {
  let code = 0;
  for (let bit = level - 1; bit >= 0; bit--) {
    for (const value of corner) code = code * 2 + (Math.floor(value / 2 ** bit) % 2);
  }
  return code;
}
