import { decodeDoc } from '../../bson/decode.js';
import { encodeDoc } from '../../bson/encode.js';
import { type Doc, int32, isDoc, type Value } from '../../bson/value.js';
import { spend } from '../../bson/work.js';

/** One step of a path in a document: a field's name or an array's index. */
export type PathStep = string | number;

/** Up to this size V8 keeps the bytes in the Uint8Array itself, which takes a third of the memory. */
const ON_HEAP_BYTES = 64;

/** What an update changed, as a change stream's `updateDescription` tells it. */
export interface UpdateDescription {
  readonly updatedFields: Doc;
  readonly removedFields: string[];
  readonly truncatedArrays: Doc[];
  /** The steps of each path that its dotted form leaves open; shown with `showExpandedEvents`. */
  readonly disambiguatedPaths: Doc;
}

/** A description in few bytes, without its empty parts. */
export function packDescription(description: UpdateDescription): Uint8Array {
  const { updatedFields, removedFields, truncatedArrays, disambiguatedPaths } = description;
  const packed: Doc = new Map();
  if (updatedFields.size > 0) packed.set('u', updatedFields);
  if (removedFields.length > 0) packed.set('r', removedFields);
  if (truncatedArrays.length > 0) packed.set('t', truncatedArrays);
  if (disambiguatedPaths.size > 0) packed.set('d', disambiguatedPaths);
  const bytes = encodeDoc(packed);
  return bytes.length > ON_HEAP_BYTES ? bytes : new Uint8Array(bytes);
}

/** The description that `packDescription` was given. */
export function unpackDescription(packed: Uint8Array): UpdateDescription {
  const doc = decodeDoc(packed);
  return {
    updatedFields: (doc.get('u') ?? new Map()) as Doc,
    removedFields: (doc.get('r') ?? []) as string[],
    truncatedArrays: (doc.get('t') ?? []) as Doc[],
    disambiguatedPaths: (doc.get('d') ?? new Map()) as Doc,
  };
}

/** Collects what changed, path by path. */
export class ChangeLog {
  /** Paths the update created: what changes below them is part of the created value. */
  private readonly createdPaths = new Map<string, readonly PathStep[]>();
  private readonly description: UpdateDescription = {
    updatedFields: new Map(),
    removedFields: [],
    truncatedArrays: [],
    disambiguatedPaths: new Map(),
  };

  /** The description of all that was noted, of a document as it is now. */
  of(doc: Doc): UpdateDescription {
    const created = [...this.createdPaths.values()];
    this.createdPaths.clear();
    for (const path of created) this.updated(path, valueAt(doc, path)!);
    return this.description;
  }

  /** Notes that a field was made. @returns what takes that back */
  created(path: readonly PathStep[]): () => void {
    if (this.isInCreated(path)) return () => {};
    const key = keyOf(path);
    this.createdPaths.set(key, path);
    return () => void this.createdPaths.delete(key);
  }

  updated(path: readonly PathStep[], value: Value): void {
    if (this.isInCreated(path)) return;
    this.description.updatedFields.set(this.name(path), value);
  }

  removed(path: readonly PathStep[]): void {
    if (this.isInCreated(path)) return;
    this.description.removedFields.push(this.name(path));
  }

  truncated(path: readonly PathStep[], newSize: number): void {
    this.description.truncatedArrays.push(
      new Map<string, Value>([
        ['field', this.name(path)],
        ['newSize', int32(newSize)],
      ]),
    );
  }

  private isInCreated(path: readonly PathStep[]): boolean {
    spend(1);
    return this.createdPaths.size > 0 && path.some((_, i) => this.createdPaths.has(keyOf(path.slice(0, i + 1))));
  }

  private name(path: readonly PathStep[]): string {
    const name = path.join('.');
    if (path.some((step) => typeof step === 'number' || step.includes('.') || /^\d+$/.test(step))) {
      this.description.disambiguatedPaths.set(
        name,
        path.map((step) => (typeof step === 'number' ? int32(step) : step)),
      );
    }
    return name;
  }
}

const keyOf = (path: readonly PathStep[]): string => JSON.stringify(path);

function valueAt(doc: Doc, path: readonly PathStep[]): Value | undefined {
  let value: Value | undefined = doc;
  for (const step of path) {
    value = isDoc(value) ? value.get(String(step)) : Array.isArray(value) ? value[Number(step)] : undefined;
  }
  return value;
}
