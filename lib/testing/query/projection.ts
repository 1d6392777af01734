import { type Doc, isDoc, type Value } from '../bson/value.js';
import type { QueryEnv } from './env.js';
import { compileFilter, type MatchDetails } from './filter.js';
import { type Branch, isComputed } from './projection/node.js';
import { ProjectionParser, type ProjectionType } from './projection/parser.js';

/** Gives the projected document; `details` of the query's match serve the positional `$`. */
export type Projection = (doc: Doc, details?: MatchDetails) => Doc;

/**
 * Compiles the projection of a find or findAndModify.
 *
 * @param filter the query, for the positional `$`: where a call brings no details of the match they are found anew
 * @throws CommandError 31253 or 31254 for a mix of kept and dropped fields, and others, as MongoDB does
 * @see https://www.mongodb.com/docs/v7.0/reference/method/db.collection.find/#projection
 */
export function compileProjection(spec: Doc, env: QueryEnv, filter?: Doc): Projection {
  if (spec.size === 0) return (doc) => doc;
  const { type, root, isPositional } = new ProjectionParser(env, filter).parse(spec);
  const hasComputed = isComputed(root);
  const matches = isPositional && filter ? compileFilter(filter, env) : undefined;
  return (doc, details) => {
    const match: MatchDetails = details ?? { index: -1 };
    if (!details && matches) matches(doc, match);
    const kept = project(doc, root, type, match);
    return hasComputed ? compute(kept, root, doc) : kept;
  };
}

function project(doc: Doc, { children }: Branch, type: ProjectionType, details: MatchDetails): Doc {
  const result: Doc = new Map();
  for (const [key, value] of doc) {
    const node = children.get(key);
    if (!node) {
      if (type === 'exclusion') result.set(key, value);
    } else if (node.kind === 'include') result.set(key, value);
    else if (node.kind === 'transform') result.set(key, node.transform(value, details));
    else if (node.kind === 'branch') {
      const nested = projectValue(value, node, type, details);
      if (nested !== undefined) result.set(key, nested);
    }
  }
  return result;
}

/** An array is projected element by element; what is no document has no fields, and is kept only by an exclusion. */
function projectValue(value: Value, node: Branch, type: ProjectionType, details: MatchDetails): Value | undefined {
  if (isDoc(value)) return project(value, node, type, details);
  if (!Array.isArray(value)) return type === 'exclusion' ? value : undefined;
  if ([...node.children.values()].some((child) => child.kind === 'transform')) {
    const matched = positionedElements(value, node, type, details);
    if (matched) return matched;
  }
  return value.map((element) => projectValue(element, node, type, details)).filter((element) => element !== undefined);
}

/** The positional `$` takes the element of the first array on its path, here one above its last field. */
function positionedElements(
  array: Value[],
  node: Branch,
  type: ProjectionType,
  details: MatchDetails,
): Value[] | undefined {
  const only = [...node.children.values()][0]!;
  if (only.kind !== 'transform' || only.transform.length < 2) return undefined;
  const [element] = only.transform(array, details) as Value[];
  const kept = projectValue(element!, { kind: 'branch', children: keepWhole(node) }, type, details);
  return kept === undefined ? [] : [kept];
}

const keepWhole = ({ children }: Branch): Branch['children'] =>
  new Map([...children].map(([key, node]) => [key, node.kind === 'transform' ? { kind: 'include' } : node]));

function compute(kept: Doc, { children }: Branch, root: Doc): Doc {
  for (const [key, node] of children) {
    if (node.kind === 'compute') {
      const value = node.compute(root);
      kept.delete(key);
      if (value !== undefined) kept.set(key, value);
    } else if (node.kind === 'branch' && isComputed(node)) kept.set(key, computeIn(kept.get(key), node, root));
  }
  return kept;
}

/** Computed fields make a document of what is none. */
function computeIn(value: Value | undefined, node: Branch, root: Doc): Value {
  if (Array.isArray(value)) return value.map((element) => computeIn(element, node, root));
  return compute(isDoc(value) ? new Map(value) : new Map(), node, root);
}
