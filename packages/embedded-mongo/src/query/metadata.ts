import { isDoc, type Doc, type Value } from '../bson/value.js';
import { CommandError } from '../errors.js';

/** Metadata that only some queries have, and what error messages call it. */
const TITLES: ReadonlyMap<string, string> = new Map([
  ['textScore', 'text score'],
  ['geoNearDistance', '$geoNear distance'],
  ['geoNearPoint', '$geoNear point'],
]);

/** What the documents of one query carry besides their fields; `$meta` reads it (manual: $meta). */
export class QueryMetadata {
  private asked: Set<string> | undefined; // both are made when they are needed: most queries have no metadata
  private values: WeakMap<Doc, Map<string, Value>> | undefined;

  /** @param available which of the metadata that depend on the query this one has */
  constructor(private readonly available: readonly string[]) {}

  /** What the query asks for by `$meta`, so that nothing else need be kept. */
  get wanted(): ReadonlySet<string> {
    return this.asked ?? NONE;
  }

  /** Notes that `$meta` asks for it. @throws CommandError 40218 when the query has no such metadata */
  want(name: string): void {
    const title = TITLES.get(name);
    if (title !== undefined && !this.available.includes(name)) throw unavailable(title);
    (this.asked ??= new Set()).add(name);
  }

  get(doc: Doc, name: string): Value | undefined {
    return this.values?.get(doc)?.get(name);
  }

  set(doc: Doc, name: string, value: Value): void {
    this.values ??= new WeakMap();
    const known = this.values.get(doc);
    if (known) known.set(name, value);
    else this.values.set(doc, new Map([[name, value]]));
  }

  /** Gives a document made of another one the other's metadata. */
  carry(from: Doc, to: Doc): void {
    const known = this.values?.get(from);
    if (known && from !== to && !this.values!.has(to)) this.values!.set(to, known);
  }
}

const NONE: ReadonlySet<string> = new Set();

const unavailable = (title: string): CommandError =>
  new CommandError(40218, `query requires ${title} metadata, but it is not available`);

/** Metadata where no query runs that could have any. */
export const NO_METADATA = new QueryMetadata([]);

/** Whether a filter asks for a `$text` anywhere. */
export function hasText(filter: Doc): boolean {
  for (const [name, condition] of filter) {
    if (name === '$text') return true;
    if (!name.startsWith('$') || !Array.isArray(condition)) continue;
    if (condition.some((part) => isDoc(part) && hasText(part))) return true;
  }
  return false;
}

/** The metadata that a filter brings. */
export const metadataOf = (filter: Doc): readonly string[] => (hasText(filter) ? TEXT_METADATA : NO_NAMES);

const TEXT_METADATA = ['textScore'];
const NO_NAMES: readonly string[] = [];
