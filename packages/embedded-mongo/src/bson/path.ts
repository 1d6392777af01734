import { type Doc, isDoc, type Value } from './value.js';
import { spend } from './work.js';

/** A dotted path taken apart: `a.0.b` is `['a', '0', 'b']`. */
export type Path = readonly string[];

export const splitPath = (path: string): Path => path.split('.');

/** The field that a path begins with. */
export const rootOf = (path: string): string => path.split('.', 1)[0]!;

/** Whether a path component is all digits, and so may name an array's index. */
export const isIndex = (part: string): boolean => /^\d+$/.test(part);

/**
 * What to do with an array at the end of a path: give its elements and then itself, itself alone, or its elements
 * alone.
 */
export type LeafArrays = 'elementsAndArray' | 'array' | 'elements';

/**
 * Is given each value a path leads to; returning true ends the visit.
 * @param index which element of the outermost array passed implicitly led here, -1 when none did
 */
export type Visitor = (value: Value | undefined, index: number) => boolean;

/** Walks the values a query's path leads to, as the manual's "Query an Array of Embedded Documents" tells. */
class PathVisit {
  constructor(
    private readonly parts: Path,
    private readonly leaf: LeafArrays,
    private readonly visitor: Visitor,
  ) {}

  inDoc(doc: Doc, at: number, index: number): boolean {
    const { parts } = this;
    for (let i = at; ;) {
      const value = doc.get(parts[i]!);
      i++;
      if (i === parts.length) return this.atLeaf(value, index);
      if (Array.isArray(value)) return this.inArray(value, i, index);
      if (!isDoc(value)) return this.visitor(undefined, index);
      doc = value;
    }
  }

  private atLeaf(value: Value | undefined, index: number): boolean {
    if (!Array.isArray(value) || this.leaf === 'array') return this.visitor(value, index);
    for (let i = 0; i < value.length; i++) {
      spend(1);
      if (this.visitor(value[i], index === -1 ? i : index)) return true;
    }
    return this.leaf === 'elementsAndArray' && this.visitor(value, index);
  }

  private inArray(array: Value[], at: number, index: number): boolean {
    const part = this.parts[at]!;
    const named = isIndex(part) && String(Number(part)) === part ? Number(part) : -1;
    for (let i = 0; i < array.length; i++) {
      const element = array[i]!;
      spend(1);
      if (isDoc(element) && this.inDoc(element, at, index === -1 ? i : index)) return true;
      if (i === named && this.atIndex(element, at + 1, index)) return true;
    }
    return false;
  }

  private atIndex(element: Value, at: number, index: number): boolean {
    if (at === this.parts.length) return this.visitor(element, index);
    if (isDoc(element)) return this.inDoc(element, at, index);
    return Array.isArray(element) && this.inArray(element, at, index);
  }
}

/**
 * Visits the values a path leads to, through arrays as MongoDB's queries do: the elements of an array on the way,
 * by index where a component is a number, and what an array at the end holds.
 *
 * @returns whether the visitor ended the visit by returning true
 */
export const visitPath = (doc: Doc, path: Path, leaf: LeafArrays, visitor: Visitor): boolean =>
  new PathVisit(path, leaf, visitor).inDoc(doc, 0, -1);

/** The value at a path that passes through documents only; an array on the way ends it. */
export function getPath(doc: Doc, path: Path): Value | undefined {
  let value: Value | undefined = doc;
  for (const part of path) {
    if (!isDoc(value)) return undefined;
    value = value.get(part);
  }
  return value;
}
