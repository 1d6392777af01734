import { type Collation, parseCollation } from '../bson/collation.js';
import { isNumeric, toNumber } from '../bson/number.js';
import type { Doc, Value } from '../bson/value.js';
import { IndexCatalog } from './index.catalog.js';
import type { Namespace } from './namespace.js';
import type { ReadView, Writer } from './read-view.js';
import { type RecordId, RecordStore, readSlot } from './record-store.js';

/** A stored document as a scan gives it. */
export interface StoredRecord {
  readonly id: RecordId;
  readonly bytes: Uint8Array;
}

const numberOf = (value: Value | undefined): number => (isNumeric(value) ? toNumber(value) || Infinity : Infinity);

/** A collection: its records and their indexes. Writes go through a `WriteUnit`, never through here. */
export class Collection {
  readonly kind = 'collection';
  readonly records = new RecordStore();
  /** Committed documents and their bytes; a transaction's own writes are not counted. */
  count = 0;
  dataSize = 0;
  /** Committed writes of its records; it only grows. */
  writeCount = 0;
  /** True after drop: cursors over it are killed (QueryPlanKilled). */
  isDropped = false;
  /** The unit that creates it and has not committed: only that one finds it in the catalog. */
  creator: Writer | undefined;
  /** Open transactions that read or wrote here: DDL waits for them. */
  readonly transactions = new Set<Writer>();

  readonly indexes: IndexCatalog<Collection>;
  /** What queries and indexes of this collection use unless they say otherwise. */
  readonly collation: Collation | undefined;

  /** @param uuid 16 bytes @param options the options of `create`, as listCollections shows them */
  constructor(
    public ns: Namespace,
    public uuid: Uint8Array,
    public options: Doc,
  ) {
    this.collation = parseCollation(options.get('collation') as Doc | undefined);
    this.indexes = new IndexCatalog(this);
  }

  get isCapped(): boolean {
    return this.options.get('capped') === true;
  }

  /** The most bytes and documents a capped collection holds. */
  get maxSize(): number {
    return numberOf(this.options.get('size'));
  }

  get maxCount(): number {
    return numberOf(this.options.get('max'));
  }

  /** Whether documents go by themselves after a time. */
  get canExpire(): boolean {
    return this.indexes.hasExpiry || this.options.has('expireAfterSeconds');
  }

  /** Whether change events can show pre- and post-images. */
  get hasPreImages(): boolean {
    const images = this.options.get('changeStreamPreAndPostImages');
    return images instanceof Map && images.get('enabled') === true;
  }

  /** The bytes `view` sees of a record. */
  read(id: RecordId, view: ReadView): Uint8Array | undefined {
    return readSlot(this.records.get(id), view);
  }

  /** Walks all records in insertion order (or reversed), optionally from after (before) a record. */
  *scan(view: ReadView, isReversed = false, from?: RecordId): Generator<StoredRecord> {
    for (const id of isReversed ? this.records.idsReversed(from) : this.records.ids(from)) {
      const bytes = this.read(id, view);
      if (bytes) yield { id, bytes };
    }
  }
}

/** A view: a pipeline over another namespace of its database. */
export class View {
  readonly kind = 'view';
  creator: Writer | undefined;

  /** @param options `viewOn`, `pipeline`, `collation`, as listCollections shows them */
  constructor(
    public ns: Namespace,
    public options: Doc,
  ) {}

  get viewOn(): string {
    return this.options.get('viewOn') as string;
  }

  get pipeline(): Doc[] {
    return (this.options.get('pipeline') ?? []) as Doc[];
  }
}
