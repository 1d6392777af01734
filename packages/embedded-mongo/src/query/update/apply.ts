import { isIndex } from '../../bson/path.js';
import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { ElementFilter } from './array-filters.js';
import { ChangeLog, type PathStep, type UpdateDescription } from './description.js';
import { type Modifier, REMOVED, UNCHANGED } from './modifier.js';
import {
  type Branch,
  hasArrayUpdate,
  identifierIn,
  inUpdateOrder,
  type Leaf,
  mergeNodes,
  type Rename,
  type UpdateNode,
} from './tree.js';
import { inArray, notAnArray, notViable, pathMissing, sourceNotViable } from './path-errors.js';
import { checkStorable } from './storable.js';
import { spend, workOf } from '../../bson/work.js';

const MAX_PADDING = 1_500_000;

/** What an update is applied with. */
export interface UpdateSite {
  /** Which array element the query matched, for the positional `$`; -1 when none did. */
  readonly matchedIndex?: number;
  /** Whether the document is being inserted by an upsert. */
  readonly isInsert?: boolean;
}

export interface UpdateResult {
  /** The document after the update: the very one before it when nothing changed. */
  readonly doc: Doc;
  readonly isModified: boolean;
  /** Absent where a change stream tells the change as a replacement. */
  readonly description: UpdateDescription | undefined;
}

type Container = Doc | Value[];

/** Whether all that is to be done below is that fields are renamed to others elsewhere. */
const isRenamedOnly = (node: UpdateNode): boolean =>
  node.kind === 'branch'
    ? [...node.children.values()].every(isRenamedOnly)
    : node.kind === 'rename' && node.from === undefined;

/** One application of an update's tree to one document, which it copies where it changes it. */
export class TreeApplication {
  private readonly log = new ChangeLog();
  private readonly copied = new Set<Container>();
  /** Sources of renames, to be removed at the end. */
  private readonly renamed: string[][] = [];
  private isModified = false;
  private root: Doc;

  constructor(
    private readonly before: Doc,
    private readonly filters: ReadonlyMap<string, ElementFilter>,
    private readonly site: UpdateSite,
  ) {
    this.root = before;
  }

  run(tree: Branch): UpdateResult {
    this.root = this.applyBranch(tree, this.root, []) as Doc;
    for (const parts of this.renamed) this.root = this.removeRenamed(parts, this.root, []) as Doc;
    return { doc: this.root, isModified: this.isModified, description: this.log.of(this.root) };
  }

  private own<T extends Container>(container: T): T {
    if (this.copied.has(container)) return container;
    spend(workOf(container));
    const copy = (Array.isArray(container) ? [...container] : new Map(container)) as T;
    this.copied.add(copy);
    return copy;
  }

  private applyBranch(node: Branch, container: Container, path: readonly PathStep[]): Container {
    let current = container;
    for (const [part, child] of this.childrenAt(node, current, path)) {
      current = this.applyChild(child, current, part, path);
    }
    return current;
  }

  /** The children by the field or index they concern, in the order in which they are applied. */
  private childrenAt(node: Branch, container: Container, path: readonly PathStep[]): [string, UpdateNode][] {
    const byPart = new Map<string, UpdateNode[]>();
    const add = (part: string, child: UpdateNode) => {
      spend(1);
      const nodes = byPart.get(part);
      if (nodes) nodes.push(child);
      else byPart.set(part, [child]);
    };
    for (const [part, child] of node.children) {
      const identifier = identifierIn(part);
      if (part === '$') add(this.matchedPart(), child);
      else if (identifier === undefined) add(part, child);
      else for (const index of this.indexesFor(identifier, container, path)) add(String(index), child);
    }
    return [...byPart]
      .map(([part, nodes]): [string, UpdateNode] => [part, mergeNodes(nodes, [...path, part].join('.'))])
      .sort(([a], [b]) => inUpdateOrder(a, b));
  }

  private matchedPart(): string {
    const index = this.site.matchedIndex ?? -1;
    if (index >= 0) return String(index);
    throw new CommandError('BadValue', 'The positional operator did not find the match needed from the query.');
  }

  private indexesFor(identifier: string, container: Container, path: readonly PathStep[]): number[] {
    if (!Array.isArray(container)) {
      throw notAnArray(String(path.at(-1)), container);
    }
    const filter = identifier === '' ? () => true : this.filters.get(identifier)!;
    const indexes: number[] = [];
    for (const [i, element] of container.entries()) {
      spend(1);
      if (filter(element)) indexes.push(i);
    }
    return indexes;
  }

  private applyChild(node: UpdateNode, container: Container, part: string, path: readonly PathStep[]): Container {
    if (node.kind === 'rename') return this.applyRename(node, container, part, path);
    if (Array.isArray(container) && !isIndex(part)) {
      return this.isIdle(node) ? container : this.blocked(node, container, part, path);
    }
    const step = Array.isArray(container) ? Number(part) : part;
    const current = isDoc(container) ? container.get(part) : container[Number(part)];
    if (node.kind === 'leaf') return this.applyLeaf(node, container, step, current, path);
    if (this.isIdle(node)) return container;
    if (current === undefined) return this.create(node, container, step, path);
    if (!isDoc(current) && !Array.isArray(current)) {
      if (node.children.has('$')) this.matchedPart();
      const below = this.firstLeaf(node);
      if (below?.onInsertOnly && !this.site.isInsert) return container;
      if (hasArrayUpdate(node)) throw notAnArray(part, current);
      if (isRenamedOnly(node)) return container; // its target says what is in the way
      if (below?.toleratesBlockedPath) return container;
      const [child] = [...node.children.keys()].sort(inUpdateOrder);
      throw notViable(child!, { [part]: current }, [...path, step], below?.creates ?? true);
    }
    const changed = this.applyBranch(node, current, [...path, step]);
    return changed === current ? container : this.put(container, step, changed);
  }

  private firstLeaf(node: UpdateNode): Modifier | undefined {
    if (node.kind === 'leaf') return node.modifier;
    if (node.kind === 'rename') return undefined;
    const [child] = [...node.children].sort(([a], [b]) => inUpdateOrder(a, b));
    return child && this.firstLeaf(child[1]);
  }

  /** Whether all there is to do is renaming fields that are not there. */
  private isIdle(node: UpdateNode): boolean {
    if (node.kind === 'branch') return [...node.children.values()].every((child) => this.isIdle(child));
    return (
      node.kind === 'rename' &&
      node.from !== undefined &&
      this.renamedValue(node.from, node.from.split('.')) === undefined
    );
  }

  /** A name that is no index, in an array. */
  private blocked(node: Branch | Leaf, array: Value[], part: string, path: readonly PathStep[]): Container {
    const below = this.firstLeaf(node);
    if (below?.toleratesBlockedPath || (below?.onInsertOnly && !this.site.isInsert)) return array;
    throw notViable(part, { [String(path.at(-1))]: array }, path, below?.creates !== false);
  }

  private applyLeaf(
    { modifier }: Leaf,
    container: Container,
    step: PathStep,
    current: Value | undefined,
    path: readonly PathStep[],
  ): Container {
    if (modifier.onInsertOnly && !this.site.isInsert) return container;
    if (current === undefined && !modifier.creates) return container;
    const full = [...path, step];
    const result = modifier.apply(current, { document: this.before, path: full.join('.') });
    if (result === UNCHANGED) return container;
    this.isModified = true;
    if (result === REMOVED) return this.remove(container, step, full);
    checkStorable(full, result, this.site.isInsert === true);
    this.record(modifier, full, current, result);
    return this.put(container, step, result);
  }

  private record(modifier: Modifier, path: readonly PathStep[], before: Value | undefined, after: Value): void {
    if (before === undefined) this.log.created(path);
    else if (modifier.appends && Array.isArray(before) && Array.isArray(after) && before.length > 0) {
      for (let i = before.length; i < after.length; i++) this.log.updated([...path, i], after[i]!);
    } else this.log.updated(path, after);
  }

  private put(container: Container, step: PathStep, value: Value): Container {
    const owned = this.own(container);
    if (isDoc(owned)) owned.set(String(step), value);
    else {
      const index = Number(step);
      if (index - owned.length > MAX_PADDING) {
        throw new CommandError('CannotBackfillArray', `can't backfill more than ${MAX_PADDING} elements`);
      }
      while (owned.length < index) owned.push(null);
      owned[index] = value;
    }
    return owned;
  }

  /** An array keeps its other elements' positions: null stands in the place of what was removed. */
  private remove(container: Container, step: PathStep, path: readonly PathStep[]): Container {
    const owned = this.own(container);
    if (isDoc(owned)) {
      owned.delete(String(step));
      this.log.removed(path);
    } else {
      owned[Number(step)] = null;
      this.log.updated(path, null);
    }
    return owned;
  }

  /** Makes the documents that are missing on a path, if what is below creates its field. */
  private create(node: Branch, container: Container, step: PathStep, path: readonly PathStep[]): Container {
    const full = [...path, step];
    if (hasArrayUpdate(node)) throw pathMissing(full);
    const uncreate = this.log.created(full);
    const made = this.applyBranch(node, new Map(), full);
    if ((made as Doc).size > 0) return this.put(container, step, made);
    uncreate();
    return container;
  }

  private applyRename({ from }: Rename, container: Container, part: string, path: readonly PathStep[]): Container {
    if (from === undefined) return container;
    const target = [...path, part];
    const parts = from.split('.');
    const value = this.renamedValue(from, parts);
    if (value === undefined) return container;
    const steps = Array.isArray(container) ? [...path, Number(part)] : path;
    const element = steps.findIndex((step) => typeof step === 'number');
    if (element > 0) throw inArray('destination', target.join('.'), this.before, String(steps[element - 1]));
    const changed = this.put(container, part, value);
    this.isModified = true;
    this.log.updated(target, value);
    this.renamed.push(parts);
    return changed;
  }

  private renamedValue(from: string, parts: readonly string[]): Value | undefined {
    let value: Value | undefined = this.before;
    let array: string | undefined;
    for (const [i, part] of parts.entries()) {
      if (value === undefined) return undefined;
      if (Array.isArray(value)) array ??= parts[i - 1]!;
      if (isDoc(value)) value = value.get(part);
      else if (Array.isArray(value) && isIndex(part)) value = value[Number(part)];
      else throw sourceNotViable(parts[i - 1]!, from, value);
    }
    if (value !== undefined && array !== undefined) throw inArray('source', from, this.before, array);
    return value;
  }

  private removeRenamed(parts: readonly string[], container: Container, path: readonly PathStep[]): Container {
    const [part, ...rest] = parts as [string, ...string[]];
    if (rest.length === 0) return this.remove(container, part, [...path, part]);
    const child = (container as Doc).get(part) as Doc;
    return this.put(container, part, this.removeRenamed(rest, child, [...path, part]));
  }
}
