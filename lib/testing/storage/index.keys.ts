import { createHash } from 'node:crypto';
import { isIndex, type Path, splitPath } from '../bson/path.js';
import { BsonUndefined, type Doc, isDoc, type Value } from '../bson/value.js';
import { CommandError } from '../errors.js';
import type { IndexSpec } from './index.spec.js';
import { encodeKey } from './key-string.js';

/** The keys a document has in an index, as lists of values, and which fields of the index led through an array. */
export interface ExtractedKeys {
  readonly keys: Value[][];
  /** Positions of fields. */
  readonly arrays: ReadonlySet<number>;
}

/** A field on its way: a value found, or a path still to be walked in a container. */
type Walk = { readonly value: Value } | { readonly inside: Value | undefined; readonly path: Path } | undefined;

/** What a hashed index stores for a value: 64 bits of the MD5 of its key, equal for equal values. */
export const hashOf = (value: Value): bigint =>
  createHash('md5')
    .update(encodeKey([value]), 'latin1')
    .digest()
    .readBigInt64LE(0);

/** Finds a document's keys in one index, with MongoDB's rules for arrays (manual: Multikey Indexes). */
export function keyExtractor(spec: IndexSpec): (doc: Doc) => ExtractedKeys {
  if (spec.kind === 'wildcard') return wildcardExtractor(spec);
  if (spec.kind === 'text' || spec.kind === '2d' || spec.kind === '2dsphere') return () => NONE;
  const extraction = new KeyExtraction(spec);
  return (doc) => extraction.of(doc);
}

const NONE: ExtractedKeys = { keys: [], arrays: new Set() };
const NO_ARRAYS: ReadonlySet<number> = new Set();

class KeyExtraction {
  private readonly paths: readonly Path[];
  private arrays = new Set<number>();
  private keys: Value[][] = [];

  constructor(private readonly spec: IndexSpec) {
    this.paths = spec.fields.map(splitPath);
  }

  of(doc: Doc): ExtractedKeys {
    const simple = this.paths.every((path) => path.length === 1 && !Array.isArray(doc.get(path[0]!)));
    if (simple) return this.ofPlain(doc);
    this.arrays = new Set();
    this.keys = [];
    this.expand(this.paths.map((path) => ({ inside: doc, path })));
    return { keys: this.keys, arrays: this.arrays };
  }

  private ofPlain(doc: Doc): ExtractedKeys {
    let isAny = false;
    const key = this.paths.map((path, i) => {
      const value = doc.get(path[0]!);
      if (value !== undefined) isAny = true;
      return this.stored(value ?? null, i);
    });
    return isAny || !this.spec.isSparse ? { keys: [key], arrays: NO_ARRAYS } : NONE;
  }

  private stored(value: Value, field: number): Value {
    return this.spec.isHashed[field] ? hashOf(value) : value;
  }

  /** Walks every field up to its first array; one array at a time is taken apart, by all fields that met it. */
  private expand(walks: Walk[]): void {
    let array: Value[] | undefined;
    let arrayField = -1;
    const met: (Path | undefined)[] = [];
    const states = walks.map((walk, field): Walk => {
      if (!walk || 'value' in walk) return walk;
      const stop = walkTo(walk.inside, walk.path);
      if (!stop || !('array' in stop)) return stop;
      if (array && array !== stop.array) throw this.parallel(field, arrayField);
      array = stop.array;
      arrayField = field;
      met[field] = stop.path;
      return undefined;
    });
    if (!array) return this.emit(states);
    met.forEach((path, field) => path && this.arrays.add(field));
    if (this.spec.kind === 'hashed') {
      throw new CommandError(16766, `hashed indexes do not currently support array values`);
    }
    const elements = array.length === 0 ? [undefined] : array;
    for (const element of elements) {
      this.expand(states.map((state, field) => (met[field] ? inElement(element, met[field]) : state)));
    }
  }

  private emit(states: Walk[]): void {
    if (this.spec.isSparse && states.every((state) => state === undefined)) return;
    this.keys.push(states.map((state, i) => this.stored(state && 'value' in state ? state.value : null, i)));
  }

  private parallel(field: number, other: number): CommandError {
    const name = (place: number): string => this.paths[place]!.at(-1)!;
    return new CommandError(171, `cannot index parallel arrays [${name(field)}] [${name(other)}]`);
  }
}

type Stop = { readonly value: Value } | { readonly array: Value[]; readonly path: Path } | undefined;

/** Follows a path up to its end or to the first array; undefined where something is missing. */
function walkTo(inside: Value | undefined, path: Path): Stop {
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

/** Pairs of a path and a value for every leaf of the document, or of the part of it the index covers. */
function wildcardExtractor(spec: IndexSpec): (doc: Doc) => ExtractedKeys {
  const field = spec.fields.find((name) => name.endsWith('$**'))!;
  if (spec.fields.length > 1) return () => NONE;
  const root = field === '$**' ? [] : splitPath(field.slice(0, -'.$**'.length));
  return (doc) => {
    const keys: Value[][] = [];
    let hasArrays = false;
    const visit = (value: Value, path: string, isElement: boolean): void => {
      if (isDoc(value) && value.size > 0) {
        for (const [name, inner] of value) visit(inner, path === '' ? name : `${path}.${name}`, false);
      } else if (Array.isArray(value) && !isElement && value.length > 0) {
        hasArrays = true;
        for (const element of value) visit(element, path, true);
      } else if (isProjected(spec.wildcardProjection, path)) {
        if (Array.isArray(value)) hasArrays = true;
        keys.push([path, Array.isArray(value) && value.length === 0 ? BsonUndefined.value : value]);
      }
    };
    if (root.length === 0) {
      for (const [name, value] of doc) if (name !== '_id' || isIdProjected(spec)) visit(value, name, false);
    } else {
      const stop = walkTo(doc, root);
      if (stop) visit('array' in stop ? stop.array : stop.value, root.join('.'), false);
    }
    return { keys, arrays: hasArrays ? new Set([1]) : NO_ARRAYS };
  };
}

/** The fields a wildcard projection names, apart from `_id`, and whether it is those or the others that are indexed. */
function projectedFields(projection: Doc | undefined): { names: string[]; isInclusion: boolean } {
  const others = [...(projection ?? [])].filter(([name]) => name !== '_id');
  return { names: others.map(([name]) => name), isInclusion: others.some(([, value]) => isIn(value)) };
}

const isIn = (value: Value | undefined): boolean => value === true || (typeof value !== 'boolean' && Number(value) > 0);

/** Whether a wildcard index covers a path, `_id` apart. */
export function isProjected(projection: Doc | undefined, path: string): boolean {
  const { names, isInclusion } = projectedFields(projection);
  if (names.length === 0 || path === '_id') return true;
  return isInclusion === names.some((name) => path === name || path.startsWith(`${name}.`));
}

/** A wildcard index over all fields leaves `_id` out unless its projection includes it. */
export const isIdProjected = (spec: IndexSpec): boolean =>
  !spec.fields.includes('$**') ||
  (spec.wildcardProjection?.has('_id') === true && isIn(spec.wildcardProjection.get('_id')));
