import { encodeValue } from '../../bson/encode.js';
import { identicalValues } from '../../bson/identical.js';
import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { ChangeLog, type PathStep, type UpdateDescription } from './description.js';

/** What the oplog entry of a diff has besides the diff. */
const ENTRY_METADATA_BYTES = 15;
const EMPTY_DOCUMENT_BYTES = 5;

type Change = (path: PathStep[], log: ChangeLog) => void;
type Section = 'delete' | 'update' | 'insert';

const elementBytes = (name: PathStep, valueBytes: number): number => 2 + Buffer.byteLength(String(name)) + valueBytes;

/** The changes between two documents or arrays, with the size they have as MongoDB writes them in its oplog. */
class Diff {
  private readonly changes: Record<Section | 'nested', Change[]> = { delete: [], update: [], insert: [], nested: [] };

  constructor(
    private readonly isArray: boolean,
    private bytes = EMPTY_DOCUMENT_BYTES,
  ) {
    if (isArray) this.bytes += elementBytes('a', 1);
  }

  isWorthFor(after: Value): boolean {
    return encodeValue(after).length > this.bytes;
  }

  update(step: PathStep, value: Value): void {
    this.add('update', step, encodeValue(value).length, (path, log) => log.updated([...path, step], value));
  }

  insert(step: PathStep, value: Value): void {
    this.add('insert', step, encodeValue(value).length, (path, log) => log.updated([...path, step], value));
  }

  delete(step: PathStep): void {
    this.add('delete', step, 1, (path, log) => log.removed([...path, step]));
  }

  truncate(newSize: number): void {
    this.bytes += elementBytes('l', 4);
    this.changes.nested.push((path, log) => log.truncated(path, newSize));
  }

  nest(step: PathStep, diff: Diff): void {
    this.bytes += elementBytes(`s${step}`, diff.bytes);
    this.changes.nested.push((path, log) => diff.tell([...path, step], log));
  }

  /** An array's diff has its updates side by side, a document's has a section for each kind of change. */
  private add(section: Section, step: PathStep, valueBytes: number, change: Change): void {
    if (this.isArray) this.bytes += elementBytes(`u${step}`, valueBytes);
    else {
      if (this.changes[section].length === 0) this.bytes += elementBytes('u', EMPTY_DOCUMENT_BYTES);
      this.bytes += elementBytes(step, valueBytes);
    }
    this.changes[section].push(change);
  }

  tell(path: PathStep[], log: ChangeLog): void {
    for (const section of ['delete', 'update', 'insert', 'nested'] as const) {
      for (const change of this.changes[section]) change(path, log);
    }
  }
}

function changeValue(diff: Diff, step: PathStep, before: Value, after: Value): void {
  if (identicalValues(before, after)) return;
  const nested =
    isDoc(before) && isDoc(after)
      ? diffFields(before, after, new Diff(false))
      : Array.isArray(before) && Array.isArray(after)
        ? diffElements(before, after)
        : undefined;
  if (nested?.isWorthFor(after)) diff.nest(step, nested);
  else diff.update(step, after);
}

function diffElements(before: Value[], after: Value[]): Diff {
  const diff = new Diff(true);
  after.forEach((value, i) => {
    if (i < before.length) changeValue(diff, i, before[i]!, value);
    else diff.update(i, value);
  });
  if (before.length > after.length) diff.truncate(after.length);
  return diff;
}

/** Fields are compared in their order: one that changed its place is told as new. */
function diffFields(before: Doc, after: Doc, diff: Diff): Diff {
  const gone = new Set<string>();
  const old = [...before];
  const current = [...after];
  let at = 0;
  for (const [key, value] of old) {
    const next = current[at];
    if (next?.[0] === key) {
      changeValue(diff, key, value, next[1]);
      at++;
    } else gone.add(key);
  }
  for (const [key, value] of current.slice(at)) {
    diff.insert(key, value);
    gone.delete(key);
  }
  for (const key of gone) diff.delete(key);
  return diff;
}

/**
 * What changed from one document to another, as an update by a pipeline is told.
 * @returns undefined where that would be no shorter than the new document: MongoDB then tells it as a replacement
 */
export function diffDocuments(before: Doc, after: Doc): UpdateDescription | undefined {
  const diff = diffFields(before, after, new Diff(false, EMPTY_DOCUMENT_BYTES + ENTRY_METADATA_BYTES));
  if (!diff.isWorthFor(after)) return undefined;
  const log = new ChangeLog();
  diff.tell([], log);
  return log.of(after);
}
