import type { Timestamp } from 'bson';
import { encodeDoc } from '../../bson/encode.js';
import type { Doc } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { Filter } from '../../query/filter.js';
import { tickOf, type Tick } from '../../storage/clock.js';
import type { DocumentSource } from '../cursor/client-cursor.js';
import type { Interrupt } from '../interrupt.js';
import type { MongoServer } from '../server.js';
import { isReplicated, readOplog } from './oplog.js';

/** Follows the oplog, as tools do that copy or watch a replica set. */
export class OplogTail implements DocumentSource {
  readonly isTailable = true;
  private docs: Iterator<Doc>;

  private hasRead = false;

  /** @param from the least time of what is still to be given */
  constructor(
    private readonly server: MongoServer,
    private from: Tick,
    private readonly matches: Filter,
    private readonly project: ((doc: Doc) => Doc) | undefined,
  ) {
    this.docs = readOplog(server, from);
  }

  next(): Uint8Array | undefined {
    this.checkPosition();
    for (let isNewlyRead = false; ;) {
      const { value: doc, done } = this.docs.next();
      if (!done) {
        this.hasRead = true;
        this.from = tickOf(doc.get('ts') as Timestamp) + 1;
        if (this.matches(doc)) return encodeDoc(this.project ? this.project(doc) : doc);
      } else if (isNewlyRead) return undefined;
      else this.docs = readOplog(this.server, this.from);
      isNewlyRead = done === true;
    }
  }

  async awaitData(interrupt: Interrupt, timeoutMS: number): Promise<void> {
    const { oplog } = this.server.storage;
    await interrupt.wait((signal) => oplog.waitForNewer(this.from - 1, signal, isReplicated), timeoutMS);
  }

  /** @throws CommandError CappedPositionLost (136) when entries have gone that were not read */
  private checkPosition(): void {
    if (!this.hasRead || this.server.storage.oplog.covers(this.from - 1)) return;
    throw new CommandError(
      'CappedPositionLost',
      'CollectionScan died due to position in capped collection being deleted. Last seen record id: RecordId(0)',
    );
  }
}
