import type { BackupCollection } from '../../tenant/tenant.backups.js';
import { documentOf, documentsIn, elementNamed, stringOf } from '../codecs/bson-elements.js';
import { BsonType } from '../codecs/bson-types.js';
import { canonicalJsonOf } from '../codecs/canonical-json.writer.js';
import type { CollectionDefinition } from '../codecs/collection.definition.js';
import type { ImportEvent } from '../codecs/import.events.js';
import { splitDocuments } from '../raw/raw-document.js';
import { DocumentsSum } from './documents.sum.js';

interface Content {
  type: string;
  options: string;
  indexes: readonly string[];
  readonly sum: DocumentsSum;
}

/** What is in a database or a file: of each collection its options, indexes and documents, to be compared. */
export class BackupContents {
  readonly #byName = new Map<string, Content>();

  /** Notes what is told of a database that is read. */
  define({ name, type, options, indexes }: CollectionDefinition): void {
    Object.assign(this.#of(name), {
      type,
      options: canonicalJsonOf(options),
      indexes: indexes.map((index) => canonicalJsonOf(index)).sort(),
    });
  }

  add(name: string, documents: readonly Uint8Array[]): void {
    const { sum } = this.#of(name);
    for (const document of documents) sum.add(document);
  }

  /** Notes what is told of a file that is read. @throws the error of a collection that cannot be read */
  take(event: ImportEvent): void {
    if (event.kind === 'property') return;
    const content = this.#of(event.collection);
    if (event.kind === 'documents') this.add(event.collection, splitDocuments(event.batch.bytes));
    if (event.kind === 'rejected' || event.kind === 'damaged') throw event.error;
    if (event.kind !== 'collectionProperty') return;
    const element = elementNamed(event.value, '')!;
    if (event.name === 'type') content.type = stringOf(element) ?? 'collection';
    if (event.name === 'options' && element.type === BsonType.Document)
      content.options = canonicalJsonOf(element.value);
    if (event.name === 'indexes')
      content.indexes = documentsIn(element)
        .map((index) => canonicalJsonOf(index))
        .sort();
  }

  /** Sorted by name. */
  get collections(): BackupCollection[] {
    return [...this.#byName]
      .map(([name, { type, options, indexes, sum }]) => ({
        name,
        type,
        documents: sum.count,
        hash: sum.hash,
        options,
        indexes,
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #of(name: string): Content {
    let content = this.#byName.get(name);
    if (!content) {
      content = { type: 'collection', options: canonicalJsonOf(documentOf([])), indexes: [], sum: new DocumentsSum() };
      this.#byName.set(name, content);
    }
    return content;
  }
}

/** What is not as it was, in words; nothing where all is. */
export function differencesOf(was: readonly BackupCollection[], is: readonly BackupCollection[]): string[] {
  const found = new Map(is.map((collection) => [collection.name, collection]));
  const missing = was.filter(({ name }) => !found.has(name)).map(({ name }) => `${name}: missing`);
  const known = new Set(was.map(({ name }) => name));
  const foreign = is.filter(({ name }) => !known.has(name)).map(({ name }) => `${name}: not of this backup`);
  const changed = was.flatMap((before) => {
    const after = found.get(before.name);
    return after ? changesOf(before, after).map((change) => `${before.name}: ${change}`) : [];
  });
  return [...missing, ...foreign, ...changed];
}

function changesOf(was: BackupCollection, is: BackupCollection): string[] {
  const changes: string[] = [];
  if (was.type !== is.type) changes.push(`a ${is.type}, not a ${was.type}`);
  if (was.documents !== is.documents) changes.push(`${is.documents} documents, not ${was.documents}`);
  else if (was.hash !== is.hash) changes.push('other documents');
  if (sorted(was.options) !== sorted(is.options)) changes.push('other options');
  if (was.indexes.map(sorted).join() !== is.indexes.map(sorted).join()) changes.push('other indexes');
  return changes;
}

/** A definition by the names of its fields: servers list them in orders of their own. What stands in them keeps its order. */
const sorted = (definition: string): string =>
  JSON.stringify(Object.entries(JSON.parse(definition) as object).sort(([a], [b]) => (a < b ? -1 : 1)));
