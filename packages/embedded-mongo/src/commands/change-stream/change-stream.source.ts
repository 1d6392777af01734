import { CommandError } from '../../errors.js';
import { encodeDoc } from '../../bson/encode.js';
import type { Doc, Value } from '../../bson/value.js';
import type { OplogEntry } from '../../storage/oplog.js';
import type { Storage } from '../../storage/storage.js';
import { tickOf } from '../../storage/clock.js';
import { assertBsonSize } from '../bson-size.js';
import { MAX_BSON_SIZE } from '../handshake/limits.js';
import type { DocumentSource } from '../cursor/client-cursor.js';
import type { Interrupt } from '../interrupt.js';
import type { ChangeEvent, LookUp } from './change-event.js';
import { changeEvent, invalidateEvent } from './change-event.js';
import type { ChangeStreamOptions } from './change-stream.options.js';
import type { StreamPosition } from './resume-token.js';
import { resumeToken } from './resume-token.js';
import type { EventFragment } from './split-event.js';
import { splitEvent } from './split-event.js';
import type { WatchedScope } from './watched-scope.js';
import { identicalValues } from '../../bson/identical.js';

/** The user's stages after `$changeStream`: an event goes in, and comes out or not. */
export type EventPipeline = (event: Doc) => Doc | undefined;

/** The events of one change stream, read from the oplog as they are asked for. */
export class ChangeStreamSource implements DocumentSource {
  readonly isTailable = true;
  isExhausted = false;
  private entries: Iterator<OplogEntry>;
  /** Everything up to here has been read. */
  private position: StreamPosition;
  /** Of the last event given, or of the place read up to without an event. */
  private token: StreamPosition;
  private queued: ChangeEvent[] = [];
  private fragments: EventFragment[] = [];

  /** @throws CommandError for a start that is not, or no longer, in the oplog */
  constructor(
    private readonly storage: Storage,
    private readonly scope: WatchedScope,
    private readonly options: ChangeStreamOptions,
    private readonly pipeline: EventPipeline,
    private readonly lookUp: LookUp,
    private readonly splitsLargeEvents: boolean,
  ) {
    this.position = this.startPosition();
    this.token = this.position;
    const { ts, txnOpIndex, fragment } = this.position;
    this.entries = storage.oplog.after(ts, fragment ? txnOpIndex - 1 : txnOpIndex); // the rest of a split event
    this.checkStart();
  }

  next(): Uint8Array | undefined {
    for (;;) {
      const fragment = this.fragments.shift();
      if (fragment) {
        this.token = fragment.position;
        return fragment.bytes;
      }
      const event = this.queued.shift() ?? this.readEvent();
      if (!event) return undefined;
      const given = this.token.fragment;
      this.token = event.position;
      if (event.position.kind === 'invalidate') this.isExhausted = true;
      const shown = this.pipeline(event.doc);
      if (!shown) continue;
      this.checkToken(event.doc.get('_id')!, shown.get('_id'));
      const bytes = encodeDoc(shown);
      if (!this.splitsLargeEvents) assertBsonSize(bytes);
      else if (given || bytes.length > MAX_BSON_SIZE) {
        this.fragments = splitEvent(shown, event.position).slice(given ?? 0);
        continue;
      }
      return bytes;
    }
  }

  async awaitData(interrupt: Interrupt, timeoutMS: number): Promise<void> {
    await interrupt.wait(
      (signal) => this.storage.oplog.waitForNewer(this.position.ts, signal, (entry) => this.scope.concerns(entry)),
      timeoutMS,
    );
  }

  batchFields = (): Record<string, Value> => ({ postBatchResumeToken: resumeToken(this.token) });

  private readEvent(): ChangeEvent | undefined {
    for (;;) {
      const { value: entry, done } = this.entries.next();
      if (done) {
        this.reachedEnd();
        return undefined;
      }
      this.position = { ts: entry.ts, txnOpIndex: entry.txnOpIndex, kind: 'event' };
      if (!this.scope.concerns(entry)) continue;
      const event = changeEvent(entry, this.options, this.lookUp);
      if (this.scope.isEndedBy(entry)) this.queued.push(invalidateEvent(entry));
      if (event) return event;
      const next = this.queued.shift();
      if (next) return next;
    }
  }

  /** All is read up to now: a stream that sees no events can still be resumed from here. */
  private reachedEnd(): void {
    const { now } = this.storage.clock;
    this.position = { ts: now, txnOpIndex: Infinity, kind: 'high' };
    if (now > this.token.ts) this.token = this.position;
    this.entries = this.storage.oplog.after(now);
  }

  private startPosition(): StreamPosition {
    const { resumeAfter, startAfter, startAtOperationTime } = this.options;
    const token = resumeAfter ?? startAfter;
    if (token) return token;
    const ts = startAtOperationTime ? tickOf(startAtOperationTime) - 1 : this.storage.clock.now;
    return { ts, txnOpIndex: Infinity, kind: 'high' };
  }

  /** A token of an event is only good while that event can be found, and ends here if it was the stream's last. */
  private checkStart(): void {
    const { ts, txnOpIndex, kind } = this.position;
    if (!this.storage.oplog.covers(ts)) this.entries.next(); // throws ChangeStreamHistoryLost
    if (kind === 'high') return;
    for (const entry of this.storage.oplog.after(ts, 0, true)) {
      if (entry.ts > ts) break;
      if (entry.txnOpIndex !== txnOpIndex || !this.scope.concerns(entry)) continue;
      if (kind === 'event' && this.scope.isEndedBy(entry)) this.queued.push(invalidateEvent(entry));
      return;
    }
    throw new CommandError('ChangeStreamFatalError', 'cannot resume stream; the resume token was not found.', {}, [
      'NonResumableChangeStreamError',
    ]);
  }

  private checkToken(expected: Value, found: Value | undefined): void {
    if (found !== undefined && identicalValues(expected, found)) return;
    throw new CommandError(
      'ChangeStreamFatalError',
      'Encountered an event whose _id field, which contains the resume token, was modified by the pipeline. Modifying the _id field of an event makes it impossible to resume the stream from that point. Only transformations that retain the unmodified _id field are allowed.',
      {},
      ['NonResumableChangeStreamError'],
    );
  }
}
