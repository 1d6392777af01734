import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { type Scope, scopeOf } from '../expression.js';
import type { MatchDetails } from '../filter.js';
import { bounded } from '../memory.js';
import { type Branch, isComputed } from './node.js';

/** Whether a projection names what is kept, what is dropped, or what comes to all that is there. */
export type ProjectionType = 'inclusion' | 'exclusion' | 'addition';

/** Gives what makes the projected document of a document; the positional `$` needs the details of its match. */
export function projector(root: Branch, type: ProjectionType): (doc: Doc, details: MatchDetails) => Doc {
  const hasComputed = isComputed(root);
  return (doc, details) => {
    const kept = type === 'addition' ? new Map(doc) : keep(doc, root, type, details);
    return hasComputed ? bounded(compute(kept, root, scopeOf(doc)), 'a document') : kept;
  };
}

function keep(doc: Doc, { children }: Branch, type: ProjectionType, details: MatchDetails): Doc {
  const result: Doc = new Map();
  for (const [key, value] of doc) {
    const node = children.get(key);
    if (!node) {
      if (type === 'exclusion') result.set(key, value);
    } else if (node.kind === 'include') result.set(key, value);
    else if (node.kind === 'transform') result.set(key, node.transform(value, details));
    else if (node.kind === 'branch') {
      const nested = keepWithin(value, node, type, details);
      if (nested !== undefined) result.set(key, nested);
    }
  }
  return result;
}

/** An array is projected element by element; what is no document has no fields, and is kept only by an exclusion. */
function keepWithin(value: Value, node: Branch, type: ProjectionType, details: MatchDetails): Value | undefined {
  if (isDoc(value)) return keep(value, node, type, details);
  if (!Array.isArray(value)) return type === 'exclusion' ? value : undefined;
  if ([...node.children.values()].some((child) => child.kind === 'transform')) {
    const matched = positionedElements(value, node, type, details);
    if (matched) return matched;
  }
  const kept = value.map((element) => keepWithin(element, node, type, details));
  // What is dropped leaves its place to the document that the computed fields make
  if (isComputed(node)) return kept.map((element) => element ?? null);
  return kept.filter((element) => element !== undefined);
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
  const kept = keepWithin(element!, { kind: 'branch', children: keepWhole(node) }, type, details);
  return kept === undefined ? [] : [kept];
}

const keepWhole = ({ children }: Branch): Branch['children'] =>
  new Map([...children].map(([key, node]) => [key, node.kind === 'transform' ? { kind: 'include' } : node]));

/** Sets the computed fields; those at dotted paths in every document they lead to. */
function compute(doc: Doc, { children }: Branch, scope: Scope): Doc {
  for (const [key, node] of children) {
    if (node.kind === 'compute') {
      const value = node.compute(scope);
      if (value === undefined) doc.delete(key);
      else doc.set(key, value);
    } else if (node.kind === 'branch' && isComputed(node)) doc.set(key, computeWithin(doc.get(key), node, scope));
  }
  return doc;
}

/** Computed fields make a document of what is none. */
function computeWithin(value: Value | undefined, node: Branch, scope: Scope): Value {
  if (Array.isArray(value)) return value.map((element) => computeWithin(element, node, scope));
  return compute(isDoc(value) ? new Map(value) : new Map(), node, scope);
}
