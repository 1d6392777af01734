import { isIndex, type Path } from './path.js';
import { BsonUndefined, type Doc, isDoc, type Value } from './value.js';
import { spend } from './work.js';

/** What the paths of an index or a sort lead to: one list of values for each element of an array on the way. */
export interface Multikey {
  /** A value for each path; undefined where something is missing. */
  readonly keys: (Value | undefined)[][];
  readonly arrays: MultikeyPaths;
}

/** By the position of a path: after how many of its components it has led to an array. Other paths met none. */
export type MultikeyPaths = ReadonlyMap<number, ReadonlySet<number>>;

/** A field on its way: a value found, or a path still to be walked in a container. */
type Walk = { readonly value: Value } | { readonly inside: Value | undefined; readonly path: Path } | undefined;

/**
 * Follows several paths at once, taking one array apart at a time (manual: "Compound Multikey Indexes"). An empty
 * array's only element is undefined.
 * @param parallel makes the error for two paths that meet different arrays
 */
export function multikeyOf(doc: Doc, paths: readonly Path[], parallel: (a: number, b: number) => Error): Multikey {
  const arrays = new Map<number, Set<number>>();
  const keys: (Value | undefined)[][] = [];
  const expand = (walks: Walk[]): void => {
    spend(2 * paths.length);
    let array: Value[] | undefined;
    let arrayField = -1;
    const met: (Path | undefined)[] = [];
    const states = walks.map((walk, field): Walk => {
      if (!walk || 'value' in walk) return walk;
      const stop = walkTo(walk.inside, walk.path);
      if (!stop || !('array' in stop)) return stop;
      if (array && array !== stop.array) throw parallel(field, arrayField);
      array = stop.array;
      arrayField = field;
      met[field] = stop.path;
      return undefined;
    });
    if (!array) {
      keys.push(states.map((state) => (state && 'value' in state ? state.value : undefined)));
      return;
    }
    met.forEach((path, field) => {
      if (!path) return;
      const depth = paths[field]!.length - path.length;
      const depths = arrays.get(field);
      if (depths) depths.add(depth);
      else arrays.set(field, new Set([depth]));
    });
    const elements = array.length === 0 ? [undefined] : array;
    for (const element of elements) {
      expand(states.map((state, field) => (met[field] ? inElement(element, met[field]) : state)));
    }
  };
  expand(paths.map((path) => ({ inside: doc, path })));
  return { keys, arrays };
}

type Stop = { readonly value: Value } | { readonly array: Value[]; readonly path: Path } | undefined;

/** Follows a path up to its end or to the first array; undefined where something is missing. */
export function walkTo(inside: Value | undefined, path: Path): Stop {
  let value = inside;
  for (let i = 0; i < path.length; i++) {
    if (Array.isArray(value)) {
      const index = isIndex(path[i]!) ? Number(path[i]) : value.length;
      if (index >= value.length) return { array: value, path: path.slice(i) };
      value = value[index];
    } else if (isDoc(value)) value = value.get(path[i]!);
    else return undefined;
  }
  if (Array.isArray(value)) return { array: value, path: [] };
  return value === undefined ? undefined : { value };
}

function inElement(element: Value | undefined, path: Path): Walk {
  if (path.length === 0) return { value: element ?? (element === null ? null : BsonUndefined.value) };
  return isDoc(element) ? { inside: element, path } : undefined;
}
