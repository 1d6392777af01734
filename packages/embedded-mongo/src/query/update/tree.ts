import { splitPath } from '../../bson/path.js';
import { CommandError } from '../../errors.js';
import type { ElementFilter } from './array-filters.js';
import type { Modifier } from './modifier.js';

/** The paths an update touches, as a tree: what is done at each, and what below it. */
export type UpdateNode = Branch | Leaf | Rename;

export interface Branch {
  readonly kind: 'branch';
  readonly children: Map<string, UpdateNode>;
}

export interface Leaf {
  readonly kind: 'leaf';
  readonly modifier: Modifier;
}

/** At the target of a `$rename`; at its source stands one without a source. */
export interface Rename {
  readonly kind: 'rename';
  readonly from: string | undefined;
}

export const branch = (): Branch => ({ kind: 'branch', children: new Map() });

const IDENTIFIER = /^\$\[(.*)\]$/;

/** The identifier in `$[identifier]`, empty in `$[]`; undefined for any other component. */
export const identifierIn = (part: string): string | undefined => IDENTIFIER.exec(part)?.[1];

/** Whether a branch is of array elements: `$[]` or `$[identifier]`. */
export const hasArrayUpdate = ({ children }: Branch): boolean =>
  [...children.keys()].some((part) => identifierIn(part) !== undefined);

export function checkPath(path: string): readonly string[] {
  if (path === '') throw new CommandError('EmptyFieldName', 'An empty update path is not valid.');
  const parts = splitPath(path);
  if (parts.includes('')) {
    throw new CommandError(
      'EmptyFieldName',
      `The update path '${path}' contains an empty field name, which is not allowed.`,
    );
  }
  const positions = parts.filter((part) => part === '$').length;
  if (positions > 1) {
    throw new CommandError('BadValue', `Too many positional (i.e. '$') elements found in path '${path}'`);
  }
  if (parts[0] === '$') {
    throw new CommandError(
      'BadValue',
      `Cannot have positional (i.e. '$') element in the first position in path '${path}'`,
    );
  }
  return parts;
}

/**
 * Puts what is to be done at a path into the tree.
 * @throws CommandError ConflictingUpdateOperators (40) when the tree changes the same path or one above or below it
 */
export function addNode(
  root: Branch,
  path: string,
  node: UpdateNode,
  filters: ReadonlyMap<string, ElementFilter>,
): void {
  const parts = checkPath(path);
  let current = root;
  parts.forEach((part, i) => {
    const identifier = identifierIn(part);
    if (identifier !== undefined && i === 0) {
      throw new CommandError(
        'BadValue',
        `Cannot have array filter identifier (i.e. '$[<id>]') element in the first position in path '${path}'`,
      );
    }
    if (identifier && !filters.has(identifier)) {
      throw new CommandError('BadValue', `No array filter found for identifier '${identifier}' in path '${path}'`);
    }
    const child = current.children.get(part);
    const isLast = i === parts.length - 1;
    if (i > 0 && isOfOtherKind(current, part)) throw conflict(path, parts.slice(0, i).join('.'));
    if (child && (isLast || child.kind !== 'branch')) {
      throw conflict(path, parts.slice(0, i + 1).join('.'));
    }
    if (isLast) current.children.set(part, node);
    else {
      const next = (child as Branch | undefined) ?? branch();
      current.children.set(part, next);
      current = next;
    }
  });
}

/** Whether a branch is of all elements, or those of a filter, and the part is one name or index, or the other way round. */
const isOfOtherKind = (node: Branch, part: string): boolean =>
  node.children.size > 0 && hasArrayUpdate(node) !== (identifierIn(part) !== undefined);

const conflict = (path: string, at: string): CommandError =>
  new CommandError('ConflictingUpdateOperators', `Updating the path '${path}' would create a conflict at '${at}'`);

/** Merges what several components (`$`, `$[]`, an index) want done at one place. */
export function mergeNodes(nodes: readonly UpdateNode[], path: string): UpdateNode {
  if (nodes.length === 1) return nodes[0]!;
  if (nodes.some((node) => node.kind !== 'branch')) {
    throw new CommandError('ConflictingUpdateOperators', `Update created a conflict at '${path}'`);
  }
  const merged = branch();
  for (const node of nodes as Branch[]) {
    for (const [part, child] of node.children) {
      const known = merged.children.get(part);
      merged.children.set(part, known ? mergeNodes([known, child], `${path}.${part}`) : child);
    }
  }
  return merged;
}

const isNumber = (part: string): boolean => /^\d+$/.test(part);

/** Fields are changed in this order: names by code point, numbers by value. */
export function inUpdateOrder(a: string, b: string): number {
  if (isNumber(a) && isNumber(b)) return Number(a) - Number(b);
  return a < b ? -1 : a > b ? 1 : 0;
}
