import type { Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { Collection } from '../collection.js';
import type { IndexTree } from '../index.tree.js';
import type { TreeCursor } from '../index.tree-cursor.js';
import { type RecordId, readSlot, type Slot } from '../record-store.js';
import type { StoredIndex } from '../stored-index.js';
import type { TreeRange } from './index-bounds.js';
import type { PlanStage, RunContext } from './stage.js';
import { spend } from '../../bson/work.js';

/** Going on to the next record, in elements of an array. */
export const RECORD_WORK = 64;

/** @throws CommandError QueryPlanKilled */
export const checkAlive = (collection: Collection, index?: StoredIndex): void => {
  if (index?.isDropped) throw new CommandError('QueryPlanKilled', `index '${index.spec.name}' dropped`);
  if (!collection.isDropped) return;
  throw new CommandError('QueryPlanKilled', `collection dropped. UUID ${Buffer.from(collection.uuid).toString('hex')}`);
};

/** What a walk goes over. */
export interface KeyRanges {
  readonly collection: Collection;
  readonly index: StoredIndex;
  readonly ranges: readonly TreeRange[];
  readonly isReversed: boolean;
}

/** Goes through the keys in some ranges of an index, and gives each record that its view sees there once. */
export class KeyWalk {
  /** The record that the last `next()` moved to. */
  id: RecordId = 0;
  bytes!: Uint8Array;
  private readonly ranges: readonly TreeRange[];
  private place = -1;
  private cursor: TreeCursor<unknown> | undefined;
  private readonly given = new Set<RecordId>();

  /** @param stage whose keys and works are counted */
  constructor(
    private readonly keys: KeyRanges,
    private readonly context: RunContext,
    private readonly stage: PlanStage,
  ) {
    this.ranges = keys.isReversed ? [...keys.ranges].reverse() : keys.ranges;
  }

  /** @returns false at the end */
  next(): boolean {
    while (this.cursor ?? this.nextRange()) {
      while (this.cursor!.next()) if (this.take(this.cursor!)) return true;
      this.cursor = undefined;
    }
    return false;
  }

  /** Goes on behind all keys that begin with these values. Only for a walk that is not reversed. */
  skipPast(values: readonly Value[]): void {
    this.cursor = this.tree.range(this.keys.index.format.edge(values, true), this.ranges[this.place]!.to);
  }

  private get tree(): IndexTree<unknown> {
    return this.keys.index.tree;
  }

  private nextRange(): boolean {
    const range = this.ranges[++this.place];
    if (!range) return false;
    this.cursor = this.tree.range(range.from, range.to, this.keys.isReversed);
    return true;
  }

  private take({ id, key }: TreeCursor<unknown>): boolean {
    const { collection, index } = this.keys;
    checkAlive(collection, index);
    this.stage.keysExamined++;
    this.stage.works++;
    spend(RECORD_WORK);
    const slot = collection.records.get(id);
    const bytes = readSlot(slot, this.context.view);
    if (!bytes || (hasHistory(slot) && !index.includes(index.keysOfBytes(bytes), key))) return false;
    if (index.isMultikey) {
      if (this.given.has(id)) return false;
      this.given.add(id);
    }
    this.id = id;
    this.bytes = bytes;
    return true;
  }
}

/** Whether a record has several states, so that a key in a tree may be of another one than the view's. */
const hasHistory = (slot: Slot | undefined): boolean => !(slot instanceof Uint8Array) && slot?.older !== undefined;
