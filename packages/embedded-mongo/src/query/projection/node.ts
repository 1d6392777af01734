import type { Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { Expression } from '../expression.js';
import type { MatchDetails } from '../filter.js';

/** What becomes of a field under a projection. */
export type ProjectionNode =
  | { readonly kind: 'include' }
  | { readonly kind: 'exclude' }
  /** A field that is kept, changed: `$slice` and the positional `$` of a find. */
  | { readonly kind: 'transform'; readonly transform: (value: Value, details: MatchDetails) => Value }
  /** A field computed from the whole document: an expression, or `$elemMatch` of a find. */
  | { readonly kind: 'compute'; readonly compute: Expression }
  | Branch;

/** A document some of whose fields are projected. */
export interface Branch {
  readonly kind: 'branch';
  readonly children: Map<string, ProjectionNode>;
}

export const branch = (): Branch => ({ kind: 'branch', children: new Map() });

/** Projects what is at a path. @throws CommandError 31250 when it is projected already, and as `branchAt` does */
export function addNode(root: Branch, path: readonly string[], node: ProjectionNode, whole: string): void {
  const parent = branchAt(root, path.slice(0, -1), whole, path);
  const last = path.at(-1)!;
  if (parent.children.has(last)) throw new CommandError(31250, `Path collision at ${whole}`);
  parent.children.set(last, node);
}

/**
 * The branch at a path, made where there is none: `{ a: { b: 1 } }` says the same as `{ 'a.b': 1 }`.
 * @throws CommandError 31249 when a path above it is projected
 */
export function branchAt(root: Branch, path: readonly string[], whole: string, full = path): Branch {
  let parent = root;
  path.forEach((part, i) => {
    let child = parent.children.get(part);
    if (!child) parent.children.set(part, (child = branch()));
    if (child.kind !== 'branch') {
      throw new CommandError(31249, `Path collision at ${whole} remaining portion ${full.slice(i + 1).join('.')}`);
    }
    parent = child;
  });
  return parent;
}

/** Whether anything is computed at a node or below it. */
export const isComputed = (node: ProjectionNode): boolean =>
  node.kind === 'compute' || (node.kind === 'branch' && [...node.children.values()].some(isComputed));
