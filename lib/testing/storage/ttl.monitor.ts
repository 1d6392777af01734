import { isNumeric, toNumber } from '../bson/number.js';
import { dateOf, msOf, type Value } from '../bson/value.js';
import type { Collection } from './collection.js';
import { LATEST } from './read-view.js';
import type { StoredIndex } from './stored-index.js';
import type { WriteUnit } from './write-unit.js';

/** An index whose dates end documents' lives. */
interface Expiry {
  readonly index: StoredIndex;
  readonly afterMS: number;
}

/** The longest time a Node.js timer takes. */
const MAX_DELAY_MS = 2 ** 31 - 1;
/** Between two passes over the same collection. */
const MIN_DELAY_MS = 500;
/** Documents deleted in one go, so that a large backlog does not hold everybody up. */
const BATCH = 500;

/** The TTL indexes of a collection; a clustered collection may expire by its `_id`. */
function expiriesOf({ indexes, options }: Collection): Expiry[] {
  const expiries = indexes
    .list()
    .filter(({ spec }) => spec.expireAfterSeconds !== undefined && spec.kind === 'btree')
    .map((index) => ({ index, afterMS: index.spec.expireAfterSeconds! * 1000 }));
  const seconds = options.get('expireAfterSeconds');
  if (isNumeric(seconds) && indexes.id) expiries.push({ index: indexes.id, afterMS: toNumber(seconds) * 1000 });
  return expiries;
}

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
    for (const { index, afterMS } of expiriesOf(collection)) {
      const dates = index.valuesOfBytes(bytes).map(([first]) => first);
      for (const date of dates) if (date instanceof Date) this.plan(collection, dueOf(date, afterMS));
    }
  }

  /** Looks anew when the next document of a collection is due: after its indexes changed. */
  noteIndexes(collection: Collection): void {
    this.due.delete(collection);
    if (!collection.isDropped)
      for (const expiry of expiriesOf(collection)) this.plan(collection, nextDue(collection, expiry));
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
    const next = Math.min(...this.due.values());
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
      await this.write((unit) => expire(collection, now, unit));
      this.due.delete(collection);
      if (collection.isDropped || this.isClosed) continue;
      for (const expiry of expiriesOf(collection)) {
        this.plan(collection, Math.max(nextDue(collection, expiry), Date.now() + MIN_DELAY_MS));
      }
    }
    this.armedFor = Infinity;
    this.arm();
  }
}

const dueOf = (date: Date, afterMS: number): number => Number(msOf(date)) + afterMS;

/** The live documents of an index in the order of their dates. */
function* byDate(collection: Collection, { index }: Expiry): Generator<{ id: number; date: Date }> {
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

function nextDue(collection: Collection, expiry: Expiry): number {
  for (const { date } of byDate(collection, expiry)) return dueOf(date, expiry.afterMS);
  return Infinity;
}

function expire(collection: Collection, now: number, unit: WriteUnit): void {
  if (collection.isDropped) return;
  let count = 0;
  for (const expiry of expiriesOf(collection)) {
    for (const { id, date } of byDate(collection, expiry)) {
      if (dueOf(date, expiry.afterMS) > now || count >= BATCH) break;
      if (unit.remove(collection, id)) count++;
    }
  }
}
