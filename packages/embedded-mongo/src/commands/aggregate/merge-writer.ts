import { type Collation, isSameCollation } from '../../bson/collation.js';
import { encodeDoc } from '../../bson/encode.js';
import type { Doc } from '../../bson/value.js';
import { CommandError, isInterruption } from '../../errors.js';
import type { CollectionWriter, Namespace } from '../../query/env.js';
import { withIdFirst } from '../../query/update.js';
import type { Collection } from '../../storage/collection.js';
import { planQuery } from '../../storage/plan/planner.js';
import type { RecordId } from '../../storage/record-store.js';
import { WriteConflict } from '../../storage/write-conflict.js';
import type { WriteUnit } from '../../storage/write-unit.js';
import { boolArgument } from '../arguments.js';
import { queryEnv } from '../crud/query-env.js';
import { validatorOf } from '../crud/validator.js';
import type { Operation } from '../operation.js';

/** The collection a `$merge` writes to. */
export class MergeWriter implements CollectionWriter {
  private readonly found = new WeakMap<Doc, { readonly id: RecordId; readonly bytes: Uint8Array }>();

  /** The first error of the writes so far. */
  failure: CommandError | undefined;

  constructor(
    private readonly op: Operation,
    private readonly unit: WriteUnit,
    private readonly ns: Namespace,
    /** The pipeline's, not that of the collection it writes to. */
    private readonly collation: Collation | undefined,
  ) {}

  find(filter: Doc): Doc | undefined {
    const collection = this.existing;
    const env = { ...queryEnv(this.op, { collection }), collation: this.collation };
    const [match] = planQuery(collection, { filter, limit: 1 }, env).run(this.unit);
    if (!match) return undefined;
    this.found.set(match.doc, match);
    return match.doc;
  }

  insert(doc: Doc): void {
    const collection = this.op.server.storage.catalog.collectionForWrite(this.unit, this.ns);
    const bytes = encodeDoc(withIdFirst(doc));
    this.validate(collection, bytes);
    this.unit.insert(collection, bytes);
  }

  replace(existing: Doc, replacement: Doc): void {
    const collection = this.existing!;
    const record = this.found.get(existing)!;
    const bytes = encodeDoc(replacement);
    this.validate(collection, bytes, record.bytes);
    if (Buffer.compare(bytes, record.bytes) !== 0) this.unit.update(collection, record.id, bytes);
  }

  attempt(write: () => void): void {
    try {
      write();
    } catch (error) {
      const isOwn = error instanceof CommandError && !(error instanceof WriteConflict) && !isInterruption(error);
      if (!isOwn || this.op.isInTransaction) throw error;
      this.failure ??= error;
    }
  }

  hasUniqueIndex(fields: readonly string[]): boolean {
    const collection = this.existing;
    if (!collection) return fields.length === 1 && fields[0] === '_id';
    return collection.indexes
      .list()
      .some(
        ({ spec }) =>
          spec.isUnique &&
          !spec.partialFilter &&
          isSameCollation(spec.collation, this.collation) &&
          spec.fields.length === fields.length &&
          fields.every((field) => spec.fields.includes(field)),
      );
  }

  private get existing(): Collection | undefined {
    return this.op.server.storage.catalog.collection(this.ns, this.unit);
  }

  private validate(collection: Collection, bytes: Uint8Array, before?: Uint8Array): void {
    if (!boolArgument(this.op.args, 'bypassDocumentValidation')) validatorOf(collection)?.check(bytes, before);
  }
}
