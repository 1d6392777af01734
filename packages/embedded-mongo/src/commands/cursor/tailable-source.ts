import { CommandError } from '../../errors.js';
import { decodeDoc } from '../../bson/decode.js';
import { encodeDoc } from '../../bson/encode.js';
import type { Doc } from '../../bson/value.js';
import type { QueryEnv } from '../../query/env.js';
import type { Filter } from '../../query/filter.js';
import { compileFilter } from '../../query/filter.js';
import type { Collection } from '../../storage/collection.js';
import { nsString } from '../../storage/namespace.js';
import type { PlanRequest } from '../../storage/plan/plan-request.js';
import { LATEST } from '../../storage/read-view.js';
import type { RecordId } from '../../storage/record-store.js';
import type { Storage } from '../../storage/storage.js';
import type { Interrupt } from '../interrupt.js';
import type { DocumentSource } from './client-cursor.js';

/** Follows a capped collection in insertion order (manual: Tailable Cursors). */
export class TailableSource implements DocumentSource {
  readonly isTailable = true;
  private readonly matches: Filter;
  private lastId: RecordId = 0;
  private toSkip: number;
  private toGive: number;

  constructor(
    private readonly storage: Storage,
    private readonly collection: Collection,
    { filter, skip, limit }: Pick<PlanRequest, 'filter' | 'skip' | 'limit'>,
    env: QueryEnv,
    private readonly project: ((doc: Doc) => Doc) | undefined,
  ) {
    this.toSkip = skip ?? 0;
    this.toGive = limit || Infinity;
    if (!collection.isCapped) {
      throw new CommandError(
        'BadValue',
        `error processing query: ns=${nsString(collection.ns)}Tree: $and\nSort: {}\nProj: {}\n tailable cursor requested on non capped collection`,
      );
    }
    this.matches = compileFilter(filter, env);
  }

  /** A cursor on an empty collection is dead from the start, another one when its limit is reached. */
  get isExhausted(): boolean {
    return this.toGive === 0 || this.collection.isDropped || this.collection.count === 0;
  }

  next(): Uint8Array | undefined {
    if (this.toGive === 0) return undefined;
    this.checkPosition();
    for (const { id, bytes } of this.collection.scan(LATEST, false, this.lastId)) {
      this.lastId = id;
      const doc = decodeDoc(bytes);
      if (!this.matches(doc) || this.toSkip-- > 0) continue;
      this.toGive--;
      return this.project ? encodeDoc(this.project(doc)) : bytes;
    }
    return undefined;
  }

  async awaitData(interrupt: Interrupt, timeoutMS: number): Promise<void> {
    const { uuid } = this.collection;
    const now = this.storage.clock.now;
    await interrupt.wait(
      (signal) => this.storage.oplog.waitForNewer(now, signal, (entry) => entry.uuid === uuid),
      timeoutMS,
    );
  }

  /** The record read last must still be there, or documents may have been missed. */
  private checkPosition(): void {
    if (this.collection.isDropped) {
      throw new CommandError('QueryPlanKilled', `collection dropped: ${nsString(this.collection.ns)}`);
    }
    if (this.lastId === 0 || this.collection.read(this.lastId, LATEST)) return;
    throw new CommandError(
      'CappedPositionLost',
      `CollectionScan died due to position in capped collection being deleted. Last seen record id: RecordId(${this.lastId})`,
    );
  }
}
