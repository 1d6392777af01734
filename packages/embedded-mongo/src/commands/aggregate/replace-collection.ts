import { randomUUID } from 'node:crypto';
import { encodeDoc } from '../../bson/encode.js';
import type { Doc } from '../../bson/value.js';
import type { Namespace } from '../../query/env.js';
import { withIdFirst } from '../../query/update.js';
import type { Collection } from '../../storage/collection.js';
import type { WriteUnit } from '../../storage/write-unit.js';
import { boolArgument } from '../arguments.js';
import { validatorOf } from '../crud/validator.js';
import type { Operation } from '../operation.js';

/** `$out`: fills a temporary collection with the target's options and indexes, and renames it to the target. */
export function replaceCollection(op: Operation, unit: WriteUnit, ns: Namespace, docs: Iterable<Doc>): void {
  const { catalog } = op.server.storage;
  const target = catalog.collection(ns, unit);
  const temporary = { db: ns.db, coll: `tmp.agg_out.${randomUUID()}` };
  const documents = [...docs].map((doc) => encodeDoc(withIdFirst(doc))); // all is read before anything is written
  const collection = catalog.create(unit, temporary, target?.options ?? new Map()) as Collection;
  const specs = target?.indexes.list().filter(({ spec }) => !spec.isId) ?? [];
  collection.indexes.create(unit, specs.map(({ spec }) => spec.doc)); // prettier-ignore
  const validator = boolArgument(op.args, 'bypassDocumentValidation') ? undefined : validatorOf(collection);
  for (const document of documents) {
    validator?.check(document);
    unit.insert(collection, document);
  }
  catalog.rename(unit, temporary, ns, { dropTarget: true });
}
