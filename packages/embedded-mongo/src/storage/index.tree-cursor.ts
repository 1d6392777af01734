import type { RecordId } from './record-store.js';

interface Leaf<K> {
  readonly keys: readonly K[];
  readonly ids: readonly RecordId[];
  readonly next: Leaf<K> | undefined;
  readonly previous: Leaf<K> | undefined;
}

/** What a cursor needs of its tree. */
export interface WalkedTree<K> {
  compare(a: K, b: K): number;
  /** Counts the changes, so that cursors know when their place has moved. */
  readonly changes: number;
  /** The leaf and place of the first pair at or after (key, id); the place may be the leaf's end. */
  seek(key: K | undefined, id: RecordId): [Leaf<K>, number];
  /** The end of all pairs, as `seek` answers. */
  seekEnd(): [Leaf<K>, number];
}

/** Walks a range of a tree; the tree may change meanwhile, the walk then goes on behind the last pair given. */
export class TreeCursor<K> {
  /** The pair that the last `next()` moved to. */
  key!: K;
  id: RecordId = -1;
  private node: Leaf<K> | undefined;
  private place = 0;
  private seenChanges = -1;

  constructor(
    private readonly tree: WalkedTree<K>,
    private readonly from: K | undefined,
    private readonly to: K | undefined,
    private readonly isReversed: boolean,
  ) {}

  /** @returns false at the end; more may come when the tree has grown there */
  next(): boolean {
    if (this.isReversed) return this.back();
    if (this.seenChanges !== this.tree.changes) {
      const isStarted = this.id !== -1;
      [this.node, this.place] = this.tree.seek(isStarted ? this.key : this.from, isStarted ? this.id + 0.5 : -1);
      this.seenChanges = this.tree.changes;
    } else this.place++;
    while (this.node && this.place >= this.node.keys.length) {
      if (!this.node.next) return this.stay();
      this.node = this.node.next;
      this.place = 0;
    }
    const key = this.node!.keys[this.place]!;
    if (this.to !== undefined && this.tree.compare(key, this.to) >= 0) return this.stay();
    return this.moveTo(key);
  }

  private back(): boolean {
    if (this.seenChanges !== this.tree.changes) {
      if (this.id !== -1) [this.node, this.place] = this.tree.seek(this.key, this.id);
      else if (this.to !== undefined) [this.node, this.place] = this.tree.seek(this.to, -1);
      else [this.node, this.place] = this.tree.seekEnd();
      this.seenChanges = this.tree.changes;
    }
    this.place--;
    while (this.node && this.place < 0) {
      if (!this.node.previous) return this.stay();
      this.node = this.node.previous;
      this.place = this.node.keys.length - 1;
    }
    const key = this.node!.keys[this.place]!;
    if (this.from !== undefined && this.tree.compare(key, this.from) < 0) return this.stay();
    return this.moveTo(key);
  }

  private moveTo(key: K): true {
    this.key = key;
    this.id = this.node!.ids[this.place]!;
    return true;
  }

  /** At the end: the next call looks again from the last pair. */
  private stay(): false {
    this.seenChanges = -1;
    return false;
  }
}
