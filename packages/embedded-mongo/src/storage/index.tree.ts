import { TreeCursor, type WalkedTree } from './index.tree-cursor.js';
import type { RecordId } from './record-store.js';

const CAPACITY = 64;

class Node<K> {
  keys: K[] = [];
  ids: RecordId[] = [];
  children: Node<K>[] | undefined;
  next: Node<K> | undefined;
  previous: Node<K> | undefined;
}

/**
 * An ordered set of (key, record id) pairs: a B+ tree, with leaves linked in both directions.
 * An inner node's `keys[i]`/`ids[i]` is the smallest pair of `children[i + 1]`.
 */
export class IndexTree<K> implements WalkedTree<K> {
  private root = new Node<K>();
  private lastLeaf = this.root;
  /** Counts the changes, so that cursors know when their place has moved. */
  changes = 0;
  size = 0;

  constructor(readonly compare: (a: K, b: K) => number) {}

  /** @returns false when the pair is there already */
  insert(key: K, id: RecordId): boolean {
    if (this.isBehindAll(key) && this.lastLeaf.keys.length < CAPACITY) {
      this.lastLeaf.keys.push(key);
      this.lastLeaf.ids.push(id);
      this.size++;
      this.changes++;
      return true;
    }
    const before = this.size;
    const sibling = this.insertInto(this.root, key, id);
    if (sibling) {
      const root = new Node<K>();
      const smallest = this.smallest(sibling);
      root.children = [this.root, sibling];
      root.keys = [smallest.keys[0]!];
      root.ids = [smallest.ids[0]!];
      this.root = root;
    }
    return this.size > before;
  }

  /** @returns false when there is no such pair */
  delete(key: K, id: RecordId): boolean {
    const before = this.size;
    this.deleteFrom(this.root, key, id);
    while (this.root.children?.length === 1) this.root = this.root.children[0]!;
    if (this.root.children?.length === 0) this.root = this.lastLeaf = new Node<K>();
    return this.size < before;
  }

  /** Whether every pair has a smaller key. */
  isBehindAll(key: K): boolean {
    const { keys } = this.lastLeaf;
    return keys.length === 0 ? this.size === 0 : this.compare(keys[keys.length - 1]!, key) < 0;
  }

  /** The id of the first pair with exactly this key. */
  first(key: K): RecordId | undefined {
    const cursor = new TreeCursor(this, key, undefined, false);
    return cursor.next() && this.compare(cursor.key, key) === 0 ? cursor.id : undefined;
  }

  /** Walks the pairs whose keys are at or after `from` and before `to` (undefined: no limit), or that reversed. */
  range(from: K | undefined, to: K | undefined, isReversed = false): TreeCursor<K> {
    return new TreeCursor(this, from, to, isReversed);
  }

  /** How many pairs lie in the range, counting no further than `limit`. */
  countRange(from: K | undefined, to: K | undefined, limit: number): number {
    const cursor = this.range(from, to);
    let count = 0;
    while (count < limit && cursor.next()) count++;
    return count;
  }

  /** The leaf and place of the first pair at or after (key, id); the place may be the leaf's end. */
  seek(key: K | undefined, id: RecordId): [Node<K>, number] {
    let node = this.root;
    while (node.children) {
      node = node.children[key === undefined ? 0 : this.childOf(node, key, id)]!;
    }
    return [node, key === undefined ? 0 : this.lowerBound(node, key, id)];
  }

  /** The end of all pairs, as `seek` answers. */
  seekEnd(): [Node<K>, number] {
    return [this.lastLeaf, this.lastLeaf.keys.length];
  }

  private comparePair(node: Node<K>, place: number, key: K, id: RecordId): number {
    return this.compare(node.keys[place]!, key) || node.ids[place]! - id;
  }

  private lowerBound(node: Node<K>, key: K, id: RecordId): number {
    let low = 0;
    let high = node.keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.comparePair(node, middle, key, id) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private childOf(node: Node<K>, key: K, id: RecordId): number {
    const place = this.lowerBound(node, key, id);
    return place < node.keys.length && this.comparePair(node, place, key, id) === 0 ? place + 1 : place;
  }

  private smallest(node: Node<K>): Node<K> {
    let leaf = node;
    while (leaf.children) leaf = leaf.children[0]!;
    return leaf;
  }

  /** @returns the new right sibling when the node had to be split */
  private insertInto(node: Node<K>, key: K, id: RecordId): Node<K> | undefined {
    if (!node.children) {
      const place = this.lowerBound(node, key, id);
      if (place < node.keys.length && this.comparePair(node, place, key, id) === 0) return undefined;
      node.keys.splice(place, 0, key);
      node.ids.splice(place, 0, id);
      this.size++;
      this.changes++;
      return node.keys.length > CAPACITY ? this.splitLeaf(node, place) : undefined;
    }
    const child = this.childOf(node, key, id);
    const sibling = this.insertInto(node.children[child]!, key, id);
    if (!sibling) return undefined;
    const smallest = this.smallest(sibling);
    node.keys.splice(child, 0, smallest.keys[0]!);
    node.ids.splice(child, 0, smallest.ids[0]!);
    node.children.splice(child + 1, 0, sibling);
    return node.children.length > CAPACITY ? this.splitInner(node) : undefined;
  }

  /** In the middle, but at the end for a leaf that grows at its end: ascending keys then fill their leaves. */
  private splitLeaf(node: Node<K>, place: number): Node<K> {
    const cut = place === CAPACITY && !node.next ? CAPACITY : CAPACITY >>> 1;
    const sibling = new Node<K>();
    sibling.keys = node.keys.splice(cut);
    sibling.ids = node.ids.splice(cut);
    sibling.previous = node;
    sibling.next = node.next;
    if (node.next) node.next.previous = sibling;
    else this.lastLeaf = sibling;
    node.next = sibling;
    return sibling;
  }

  private splitInner(node: Node<K>): Node<K> {
    const cut = node.children!.length >>> 1;
    const sibling = new Node<K>();
    sibling.children = node.children!.splice(cut);
    sibling.keys = node.keys.splice(cut);
    sibling.ids = node.ids.splice(cut);
    node.keys.pop(); // the smallest pair of the sibling is the parent's business
    node.ids.pop();
    return sibling;
  }

  private deleteFrom(node: Node<K>, key: K, id: RecordId): void {
    if (!node.children) {
      const place = this.lowerBound(node, key, id);
      if (place >= node.keys.length || this.comparePair(node, place, key, id) !== 0) return;
      node.keys.splice(place, 1);
      node.ids.splice(place, 1);
      this.size--;
      this.changes++;
      return;
    }
    const place = this.childOf(node, key, id);
    const child = node.children[place]!;
    this.deleteFrom(child, key, id);
    if ((child.children ?? child.keys).length > 0) return;
    if (!child.children) {
      if (child.previous) child.previous.next = child.next;
      if (child.next) child.next.previous = child.previous;
      else if (child.previous) this.lastLeaf = child.previous;
    }
    node.children.splice(place, 1);
    node.keys.splice(Math.max(place - 1, 0), 1);
    node.ids.splice(Math.max(place - 1, 0), 1);
  }
}
