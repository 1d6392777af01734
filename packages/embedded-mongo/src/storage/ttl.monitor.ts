import { decodeField } from '../bson/field.js';
import { isNumeric, toNumber } from '../bson/number.js';
import { dateOf, isDoc, msOf, type Value } from '../bson/value.js';
import type { Collection } from './collection.js';
import { LATEST } from './read-view.js';
import type { RecordId } from './record-store.js';
import type { StoredIndex } from './stored-index.js';
import type { WriteUnit } from './write-unit.js';

/** A document whose date ends its life. */
interface Dated {
  readonly id: RecordId;
  readonly date: Date;
}

/** Dates that end documents' lives. */
interface Expiry {
  readonly afterMS: number;
  /** Those of one document. */
  datesOf(bytes: Uint8Array): Value[];
  /** All of the collection, the earliest first. */
  byDate(): Iterable<Dated>;
}

/** The longest time a Node.js timer takes. */
const MAX_DELAY_MS = 2 ** 31 - 1;
/** Between two passes over the same collection. */
const MIN_DELAY_MS = 500;
/** Before a pass that failed is tried again. */
const RETRY_MS = 1000;
/** Documents deleted in one go, so that a large backlog does not hold everybody up. */
const BATCH = 500;

/** The TTL indexes of a collection; a clustered one may expire by its `_id`, a time series by its time. */
function expiriesOf(collection: Collection): Expiry[] {
  const { indexes, options } = collection;
  const expiries = indexes
    .list()
    .filter(({ spec }) => spec.expireAfterSeconds !== undefined && spec.kind === 'btree')
    .map((index) => indexExpiry(collection, index, index.spec.expireAfterSeconds! * 1000));
  const seconds = options.get('expireAfterSeconds');
  if (!isNumeric(seconds)) return expiries;
  const afterMS = toNumber(seconds) * 1000;
  const timeseries = options.get('timeseries');
  if (isDoc(timeseries)) expiries.push(timeExpiry(collection, timeseries.get('timeField') as string, afterMS));
  else if (indexes.id) expiries.push(indexExpiry(collection, indexes.id, afterMS));
  return expiries;
}

const indexExpiry = (collection: Collection, index: StoredIndex, afterMS: number): Expiry => ({
  afterMS,
  datesOf: (bytes) => index.valuesOfBytes(bytes).map(([first]) => first!),
  byDate: () => datesOfIndex(collection, index),
});

/** A time series has no index on its time here, so that all of it is read. */
const timeExpiry = (collection: Collection, timeField: string, afterMS: number): Expiry => ({
  afterMS,
  datesOf: (bytes) => [decodeField(bytes, timeField) ?? null],
  byDate() {
    const dated: Dated[] = [];
    for (const { id, bytes } of collection.scan(LATEST)) {
      const date = decodeField(bytes, timeField);
      if (date instanceof Date) dated.push({ id, date });
    }
    return dated.sort((a, b) => dueOf(a.date, 0) - dueOf(b.date, 0));
  },
});

const EARLIEST = dateOf(-(2n ** 63n));

/**
 * Deletes documents whose time has come (manual: TTL Indexes). One timer, armed for the next document that is due and
 * for nothing when none is; it does not keep the process alive.
 */
export class TtlMonitor {
  private readonly due = new Map<Collection, number>();
  private timer: NodeJS.Timeout | undefined;
  private armedFor = Infinity;
  private isClosed = false;

  /** @param write runs a unit, waiting for transactions that are in the way */
  constructor(private readonly write: (work: (unit: WriteUnit) => void) => Promise<void>) {}

  /** Notes that a document was written. */
  noteWrite(collection: Collection, bytes: Uint8Array): void {
    for (const { afterMS, datesOf } of expiriesOf(collection)) {
      for (const date of datesOf(bytes)) if (date instanceof Date) this.plan(collection, dueOf(date, afterMS));
    }
  }

  /** Looks anew when the next document of a collection is due: after its indexes changed. */
  noteIndexes(collection: Collection): void {
    this.due.delete(collection);
    if (!collection.isDropped) for (const expiry of expiriesOf(collection)) this.plan(collection, nextDue(expiry));
  }

  /** Stops for good. Idempotent. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.due.clear();
  }

  private plan(collection: Collection, due: number): void {
    if (due === Infinity || due >= (this.due.get(collection) ?? Infinity)) return;
    this.due.set(collection, due);
    this.arm();
  }

  private arm(): void {
    const next = [...this.due.values()].reduce((a, b) => Math.min(a, b), Infinity);
    if (this.isClosed || next === this.armedFor) return;
    clearTimeout(this.timer);
    this.armedFor = next;
    if (next === Infinity) return;
    const delay = Math.min(Math.max(next - Date.now(), 0), MAX_DELAY_MS);
    this.timer = setTimeout(() => void this.pass(), delay).unref();
  }

  private async pass(): Promise<void> {
    const now = Date.now();
    const ready = [...this.due].filter(([, due]) => due <= now).map(([collection]) => collection);
    for (const collection of ready) {
      try {
        await this.write((unit) => expire(collection, now, unit));
      } catch {
        this.due.set(collection, Date.now() + RETRY_MS); // nobody waits for it: the next pass tries again
        continue;
      }
      this.due.delete(collection);
      if (collection.isDropped || this.isClosed) continue;
      for (const expiry of expiriesOf(collection)) {
        this.plan(collection, Math.max(nextDue(expiry), Date.now() + MIN_DELAY_MS));
      }
    }
    this.armedFor = Infinity;
    this.arm();
  }
}

const dueOf = (date: Date, afterMS: number): number => Number(msOf(date)) + afterMS;

/** The live documents of an index in the order of their dates. */
function* datesOfIndex(collection: Collection, index: StoredIndex): Generator<Dated> {
  const { format, spec, tree } = index;
  const isReversed = spec.isDescending[0]!;
  const last: Value = dateOf(2n ** 63n - 1n);
  const [from, to] = isReversed
    ? [format.edge([last], false), format.edge([EARLIEST], true)]
    : [format.edge([EARLIEST], false), format.edge([last], true)];
  const cursor = tree.range(from, to, isReversed);
  while (cursor.next()) {
    const bytes = collection.read(cursor.id, LATEST);
    const values =
      bytes && index.valuesOfBytes(bytes).find((each) => format.compare(format.key(each), cursor.key) === 0);
    if (values) yield { id: cursor.id, date: values[0] as Date };
  }
}

function nextDue({ afterMS, byDate }: Expiry): number {
  for (const { date } of byDate()) return dueOf(date, afterMS);
  return Infinity;
}

function expire(collection: Collection, now: number, unit: WriteUnit): void {
  if (collection.isDropped) return;
  let count = 0;
  for (const { afterMS, byDate } of expiriesOf(collection)) {
    for (const { id, date } of byDate()) {
      if (dueOf(date, afterMS) > now || count >= BATCH) break;
      if (unit.remove(collection, id)) count++;
    }
  }
}
