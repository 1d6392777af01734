import { type Doc, int32, type Value } from '../../bson/value.js';

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
