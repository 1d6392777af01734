import { compareValues } from '../../bson/compare.js';
import { type Doc, int32, type Value } from '../../bson/value.js';
import { spend } from '../../bson/work.js';
import type { Collation } from '../../bson/collation.js';
import { keyDirections, wildcardAt } from '../index.keys.js';
import type { StoredIndex } from '../stored-index.js';
import { type Bounds, boundsOf, type BoundsContext } from './bounds.js';
import { rootOf } from '../../bson/path.js';
import { ALL, type Interval, intersect, intervalText, isAll, isPoint, MAX, MIN, point } from './interval.js';
import type { Predicate } from './predicate.js';

/** The stretch of an index to read for a conjunction, field by field. */
export interface IndexBounds {
  readonly fields: readonly (readonly Interval[])[];
  /** The predicates that hold for every key within the bounds, and so need no check. */
  readonly exact: ReadonlySet<Predicate>;
}

/** A stretch of the tree: keys at or after `from` and before `to`. */
export interface TreeRange {
  readonly from: unknown;
  readonly to: unknown;
}

/** How many stretches of a tree a scan reads at most; more are covered by fewer, wider ones. */
const MAX_RANGES = 5_000;

/** How many fields the tree is sought by: those bounded to points, and the first with a range. */
function soughtFields(fields: IndexBounds['fields'], collation?: Collation): number {
  let ranges = 1;
  for (let field = 0; field < fields.length; field++) {
    ranges *= fields[field]!.length;
    if (ranges > MAX_RANGES || !fields[field]!.every((each) => isPoint(each, collation))) return field + 1;
  }
  return fields.length;
}

const contextOf = (index: StoredIndex, field: number, queryCollation: Collation | undefined): BoundsContext => ({
  isHashed: index.spec.isHashed[field] ?? false,
  isMultikey: index.multikeyPaths.has(field),
  isSparse: index.spec.isSparse || index.spec.kind === 'wildcard',
  indexCollation: index.spec.collation,
  queryCollation,
});

/** The bounds the predicates give an ordinary or hashed index. */
export function boundIndex(
  index: StoredIndex,
  predicates: readonly Predicate[],
  queryCollation: Collation | undefined,
): IndexBounds {
  const { fields, exact } = boundPaths(index, index.spec.fields, predicates, queryCollation);
  const sought = soughtFields(fields, index.spec.collation);
  for (const predicate of exact)
    if (!index.spec.fields.slice(0, sought).includes(predicate.path)) exact.delete(predicate);
  return { fields, exact };
}

/** The bounds of the parts of an index's keys, each by the path that its values are at; undefined for any value. */
function boundPaths(
  index: StoredIndex,
  paths: readonly (string | undefined)[],
  predicates: readonly Predicate[],
  queryCollation: Collation | undefined,
): { fields: (readonly Interval[])[]; exact: Set<Predicate> } {
  const exact = new Set<Predicate>();
  const chosen: Bounding[] = [];
  const fields = paths.map((path, field) => {
    const context = contextOf(index, field, queryCollation);
    const usable = predicates
      .filter((predicate) => predicate.path === path)
      .map((predicate) => ({ predicate, field, bounds: boundsOf(predicate, context) }))
      .filter((each): each is Bounding => each.bounds !== undefined);
    if (context.isMultikey) usable.sort((a, b) => weight(a) - weight(b));
    let intervals = ALL;
    for (const each of usable) {
      if (context.isMultikey) {
        spend(chosen.length);
        if (!chosen.every((other) => areOfOneElement(index, each, other))) continue;
      }
      chosen.push(each);
      if (each.bounds.isExact) exact.add(each.predicate);
      intervals = intersect(intervals, each.bounds.intervals, index.spec.collation);
    }
    return intervals;
  });
  return { fields, exact };
}

/** A predicate with what it does to a field of the index. */
interface Bounding {
  readonly predicate: Predicate;
  readonly field: number;
  readonly bounds: Bounds;
}

/**
 * Whether two predicates hold of a document only if they hold of one of its keys. Where their paths lead through the
 * same array they may be fulfilled by different elements, unless one `$elemMatch` asks for one that fulfils both
 * (manual: "Multikey Index Bounds").
 */
function areOfOneElement(index: StoredIndex, a: Bounding, b: Bounding): boolean {
  const [arrays, others] = [index.multikeyPaths.get(a.field), index.multikeyPaths.get(b.field)];
  if (!arrays || !others) return true;
  const element = a.predicate.elemMatch === b.predicate.elemMatch ? a.predicate.elemMatch : undefined;
  const shared = commonLength(a.predicate.path, b.predicate.path);
  return ![...arrays].some((depth) => depth > (element?.depth ?? 0) && depth <= shared && others.has(depth));
}

/** With how many equal components two paths begin. */
function commonLength(a: string, b: string): number {
  const [parts, others] = [a.split('.'), b.split('.')];
  const end = parts.findIndex((part, i) => part !== others[i]);
  return end < 0 ? parts.length : end;
}

/** Less is better: points before ranges, few before many. */
const weight = ({ bounds: { intervals } }: Bounding): number =>
  intervals.length + (intervals.every((each) => isPoint(each)) ? 0 : 1_000_000);

/**
 * The bounds of a wildcard index: the path of one predicate, and its values. Of a compound one the fields before may
 * be enough: there every document has a key.
 */
export function boundWildcard(
  index: StoredIndex,
  predicates: readonly Predicate[],
  queryCollation: Collation | undefined,
): IndexBounds | undefined {
  const at = wildcardAt(index.spec);
  const [before, after] = [index.spec.fields.slice(0, at), index.spec.fields.slice(at + 1)];
  const context = contextOf(index, at + 1, queryCollation);
  const chosen = predicates.find(
    (predicate) => index.coversPath(predicate.path) && hasWildcardKey(predicate) && boundsOf(predicate, context),
  );
  const isRegular = ({ path }: Predicate): boolean => before.includes(path) || after.includes(path);
  const regular = predicates.filter(
    (each) => isRegular(each) && (!chosen || rootOf(each.path) !== rootOf(chosen.path)),
  );
  const usable = chosen ? [...regular, chosen] : regular;
  const { fields } = boundPaths(index, [...before, undefined, chosen?.path, ...after], usable, queryCollation);
  if (chosen) fields[at] = [point(chosen.path)];
  return isAll(fields[0]!) ? undefined : { fields, exact: new Set() };
}

/** Whether a wildcard index has keys of all that fulfils a predicate. */
const hasWildcardKey = ({ path, operator, operand, elemMatch }: Predicate): boolean =>
  !elemMatch &&
  !/\.\d+(\.|$)/.test(path) &&
  ['$eq', '$in', '$gt', '$gte', '$lt', '$lte', '$regex'].includes(operator) &&
  !hasComposite(operand);

/** Documents and arrays have no keys of their own in a wildcard index. */
const hasComposite = (operand: Value): boolean =>
  operand instanceof Map ||
  (Array.isArray(operand) && operand.some((value) => Array.isArray(value) || hasComposite(value)));

/** The stretches of the tree to read, in the tree's order: point fields multiplied out, then the first range field. */
export function treeRanges(index: StoredIndex, { fields }: IndexBounds): TreeRange[] {
  const { format, spec } = index;
  const directions = keyDirections(spec);
  const sought = fields.slice(0, soughtFields(fields, spec.collation));
  if (sought.some((intervals) => intervals.length === 0)) return [];
  let prefixes: Value[][] = [[]];
  for (let field = 0; field < sought.length; field++) {
    const intervals = directions[field] ? [...sought[field]!].reverse() : sought[field]!;
    if (field === sought.length - 1) {
      return prefixes.flatMap((prefix) =>
        intervals.map((each) => rangeOf(format, prefix, each, directions[field] ?? false)),
      );
    }
    prefixes = prefixes.flatMap((prefix) => intervals.map(({ low }) => [...prefix, low]));
  }
  return [{ from: undefined, to: undefined }];
}

function rangeOf(format: StoredIndex['format'], prefix: Value[], each: Interval, isDescending: boolean): TreeRange {
  const { low, isLowIn, high, isHighIn } = each;
  if (prefix.length === 0 && low === MIN && high === MAX && isLowIn && isHighIn)
    return { from: undefined, to: undefined };
  return isDescending
    ? { from: format.edge([...prefix, high], !isHighIn), to: format.edge([...prefix, low], isLowIn) }
    : { from: format.edge([...prefix, low], !isLowIn), to: format.edge([...prefix, high], isHighIn) };
}

/** How many fields from the start are bounded to points, and whether another is bounded after these. */
export function selectivity(
  fields: IndexBounds['fields'],
  collation?: Collation,
): { points: number; isRangeNext: boolean } {
  let points = 0;
  while (points < fields.length && fields[points]!.every((each) => isPoint(each, collation))) points++;
  return { points, isRangeNext: points < fields.length && !isAll(fields[points]!) };
}

/** The parts of an index's keys as explain names them: of a wildcard the path that is read, too. */
export function keyParts({ spec }: StoredIndex, { fields }: IndexBounds): [name: string, direction: Value][] {
  const at = spec.kind === 'wildcard' ? wildcardAt(spec) : -1;
  return [...spec.key].flatMap(([name, direction], i): [string, Value][] => {
    if (i !== at) return [[name, direction]];
    const path = fields[at]![0]!.low;
    return [
      ['$_path', int32(1)],
      [typeof path === 'string' ? path : name, direction],
    ];
  });
}

/** `indexBounds` of explain. */
export function boundsDoc(index: StoredIndex, bounds: IndexBounds, isReversed: boolean): Doc {
  const directions = keyDirections(index.spec);
  return new Map(
    keyParts(index, bounds).map(([name], part) => {
      const isDownward = (directions[part] ?? false) !== isReversed;
      const sorted = [...bounds.fields[part]!].sort((a, b) => compareValues(a.low, b.low));
      const texts = sorted.map((each) => intervalText(each, isDownward));
      return [name, isDownward ? texts.reverse() : texts];
    }),
  );
}
