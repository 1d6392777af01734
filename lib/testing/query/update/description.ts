import { identicalValues } from '../../bson/identical.js';
import { type Doc, int32, isDoc, type Value } from '../../bson/value.js';

/** One step of a path in a document: a field's name or an array's index. */
export type PathStep = string | number;

/** What an update changed, as a change stream's `updateDescription` tells it. */
export interface UpdateDescription {
  readonly updatedFields: Doc;
  readonly removedFields: string[];
  readonly truncatedArrays: Doc[];
  /** The steps of each path that its dotted form leaves open; shown with `showExpandedEvents`. */
  readonly disambiguatedPaths: Doc;
}

/** Collects what changed, path by path. */
export class ChangeLog {
  readonly description: UpdateDescription = {
    updatedFields: new Map(),
    removedFields: [],
    truncatedArrays: [],
    disambiguatedPaths: new Map(),
  };

  updated(path: readonly PathStep[], value: Value): void {
    this.description.updatedFields.set(this.name(path), value);
  }

  removed(path: readonly PathStep[]): void {
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

function diffArrays(before: Value[], after: Value[], path: PathStep[], log: ChangeLog): void {
  if (after.length < before.length) log.truncated(path, after.length);
  after.forEach((value, i) => {
    if (i >= before.length) log.updated([...path, i], value);
    else diffValues(before[i]!, value, [...path, i], log);
  });
}

function diffValues(before: Value, after: Value, path: PathStep[], log: ChangeLog): void {
  if (identicalValues(before, after)) return;
  if (isDoc(before) && isDoc(after) && keepsOrder(before, after)) diffFields(before, after, path, log);
  else if (Array.isArray(before) && Array.isArray(after) && after.length > 0) diffArrays(before, after, path, log);
  else log.updated(path, after);
}

/** A document whose kept fields changed places cannot be told as changes of single fields. */
function keepsOrder(before: Doc, after: Doc): boolean {
  const kept = [...before.keys()].filter((key) => after.has(key));
  let at = 0;
  for (const key of after.keys()) if (kept[at] === key) at++;
  return at === kept.length && [...after.keys()].slice(0, kept.length).every((key, i) => kept[i] === key);
}

function diffFields(before: Doc, after: Doc, path: PathStep[], log: ChangeLog): void {
  for (const key of before.keys()) if (!after.has(key)) log.removed([...path, key]);
  for (const [key, value] of after) {
    const old = before.get(key);
    if (old === undefined) log.updated([...path, key], value);
    else diffValues(old, value, [...path, key], log);
  }
}

/** What changed from one document to another, as an update with a pipeline is told. */
export function diffDocuments(before: Doc, after: Doc): UpdateDescription {
  const log = new ChangeLog();
  diffFields(before, after, [], log);
  return log.description;
}
