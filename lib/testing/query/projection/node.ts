import type { Doc, Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { MatchDetails } from '../filter.js';

/** What becomes of a field under a find's projection. */
export type ProjectionNode =
  | { readonly kind: 'include' }
  | { readonly kind: 'exclude' }
  /** A field that is kept, changed: `$slice` and the positional `$`. */
  | { readonly kind: 'transform'; readonly transform: (value: Value, details: MatchDetails) => Value }
  /** A field computed from the whole document: an expression or `$elemMatch`. */
  | { readonly kind: 'compute'; readonly compute: (doc: Doc) => Value | undefined }
  | Branch;

/** A document some of whose fields are projected. */
export interface Branch {
  readonly kind: 'branch';
  readonly children: Map<string, ProjectionNode>;
}

export const branch = (): Branch => ({ kind: 'branch', children: new Map() });

/** The error of a path that is projected twice, or with one above or below it: then `rest` is what is below. */
export const pathCollision = (path: string, rest?: string): CommandError =>
  rest === undefined
    ? new CommandError(31250, `Path collision at ${path}`)
    : new CommandError(31249, `Path collision at ${path} remaining portion ${rest}`);

/** @throws CommandError 31249 or 31250 when the path is projected twice, or with one above or below it */
export function addNode(parent: Branch, path: readonly string[], node: ProjectionNode, whole: string): void {
  const [part, ...rest] = path as [string, ...string[]];
  const known = parent.children.get(part);
  if (rest.length === 0) {
    if (known) throw pathCollision(whole);
    parent.children.set(part, node);
    return;
  }
  if (known && known.kind !== 'branch') {
    throw pathCollision(whole, rest.join('.'));
  }
  const next = known ?? branch();
  parent.children.set(part, next);
  addNode(next, rest, node, whole);
}

/** Whether anything is computed at a node or below it. */
export const isComputed = (node: ProjectionNode): boolean =>
  node.kind === 'compute' || (node.kind === 'branch' && [...node.children.values()].some(isComputed));
