import { MinKey } from 'bson';
import { hashedIndexKey } from '../bson/hash.js';
import { multikeyOf, type MultikeyPaths, walkTo } from '../bson/multikey.js';
import { type Path, splitPath } from '../bson/path.js';
import { BsonUndefined, type Doc, isDoc, type Value } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { TextIndexFields } from '../query/text/text-index.js';
import { geoFieldsOf, geoKeys } from './geo/geo-index.js';
import type { IndexSpec } from './index.spec.js';

/** The keys a document has in an index, as lists of values, and which fields of the index led through an array. */
export interface ExtractedKeys {
  readonly keys: Value[][];
  readonly arrays: MultikeyPaths;
}

/** Which parts of an index's keys go down. */
export function keyDirections(spec: IndexSpec): readonly boolean[] {
  const { kind, isDescending } = spec;
  if (kind === 'btree' || kind === 'hashed') return isDescending;
  const at = wildcardAt(spec);
  return kind === 'wildcard' ? [...isDescending.slice(0, at), false, ...isDescending.slice(at)] : [];
}

/** Finds a document's keys in one index, with MongoDB's rules for arrays (manual: Multikey Indexes). */
export function keyExtractor(spec: IndexSpec): (doc: Doc) => ExtractedKeys {
  if (spec.kind === 'wildcard') return wildcardExtractor(spec);
  if (spec.kind === '2d' || spec.kind === '2dsphere') {
    const fields = geoFieldsOf(spec);
    return (doc) => {
      const keys = geoKeys(fields, doc);
      return { keys, arrays: keys.length > 1 ? new Map([[fields[0]!.position, new Set([1])]]) : NO_ARRAYS };
    };
  }
  if (spec.kind === 'text') {
    const fields = new TextIndexFields(spec.doc);
    return (doc) => ({ keys: Array.from(fields.scores(doc).keys(), (term) => [term]), arrays: NO_ARRAYS });
  }
  const extraction = new KeyExtraction(spec);
  return (doc) => extraction.of(doc);
}

const NO_ARRAYS: MultikeyPaths = new Map();
const NONE: ExtractedKeys = { keys: [], arrays: NO_ARRAYS };

class KeyExtraction {
  private readonly paths: readonly Path[];

  constructor(private readonly spec: IndexSpec) {
    this.paths = spec.fields.map(splitPath);
  }

  of(doc: Doc): ExtractedKeys {
    const simple = this.paths.every((path) => path.length === 1 && !Array.isArray(doc.get(path[0]!)));
    if (simple) return this.ofPlain(doc);
    const { keys, arrays } = multikeyOf(doc, this.paths, (field, other) => this.parallel(field, other));
    if (arrays.size > 0 && this.spec.kind === 'hashed') {
      throw new CommandError(16766, `hashed indexes do not currently support array values`);
    }
    const kept = this.spec.isSparse ? keys.filter((key) => key.some((value) => value !== undefined)) : keys;
    return { keys: kept.map((key) => key.map((value, i) => this.stored(value ?? null, i))), arrays };
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
    return this.spec.isHashed[field] ? hashedIndexKey(value) : value;
  }

  private parallel(field: number, other: number): CommandError {
    const name = (place: number): string => this.paths[place]!.at(-1)!;
    return new CommandError(171, `cannot index parallel arrays [${name(field)}] [${name(other)}]`);
  }
}

/** Which of an index's fields is the wildcard; -1 where none is. */
export const wildcardAt = ({ fields }: IndexSpec): number => fields.findIndex((name) => name.endsWith('$**'));

/** What stands for the path and the value where a document has none that the index covers. */
const NO_PAIR: Value[] = [new MinKey(), null];

/** The pairs of the wildcard, each with the values of the other fields around it. */
function wildcardExtractor(spec: IndexSpec): (doc: Doc) => ExtractedKeys {
  const pairsOf = wildcardPairs(spec);
  if (spec.fields.length === 1) return pairsOf;
  const at = wildcardAt(spec);
  const others = spec.fields.filter((_, i) => i !== at).map(splitPath);
  return (doc) => {
    const parallel = (): CommandError => new CommandError(171, 'cannot index parallel arrays');
    const { keys: rows, arrays } = multikeyOf(doc, others, parallel);
    const { keys: pairs } = pairsOf(doc);
    const keys = rows.flatMap((row) => {
      const values = row.map((value) => value ?? null);
      return (pairs.length > 0 ? pairs : [NO_PAIR]).map((pair) => [
        ...values.slice(0, at),
        ...pair,
        ...values.slice(at),
      ]);
    });
    const places = new Map([...arrays].map(([field, depths]) => [field < at ? field : field + 1, depths]));
    return { keys, arrays: keys.length > 1 ? places.set(at + 1, new Set([1])) : places };
  };
}

/** Pairs of a path and a value for every leaf of the document, or of the part of it the index covers. */
function wildcardPairs(spec: IndexSpec): (doc: Doc) => ExtractedKeys {
  const field = spec.fields[wildcardAt(spec)]!;
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
    return { keys, arrays: hasArrays ? new Map([[1, new Set([1])]]) : NO_ARRAYS };
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
