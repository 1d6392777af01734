import type { Doc, Value } from '../../bson/value.js';
import type { QueryEnv } from '../env.js';

/** What a modifier answers instead of a new value. */
export const UNCHANGED = Symbol('unchanged');
export const REMOVED = Symbol('removed');

/** Where a modifier is being applied, for its error messages. */
export interface ModifierSite {
  /** The document being updated, as it was. */
  readonly document: Doc;
  /** The dotted path of the field, array positions filled in. */
  readonly path: string;
}

/** One operator applied to one field, compiled. */
export interface Modifier {
  /** The new value of a field; `current` is undefined where the field is missing. */
  apply(current: Value | undefined, site: ModifierSite): Value | typeof UNCHANGED | typeof REMOVED;
  /** Whether a missing field is created, with the documents on its path. */
  readonly creates: boolean;
  /** Whether a path that cannot exist is passed over in silence; otherwise it is an error. */
  readonly toleratesBlockedPath?: boolean;
  /** Whether it applies only to a document an upsert inserts. */
  readonly onInsertOnly?: boolean;
  /** Whether a longer array has only grown at its end, and is reported as its new elements. */
  readonly appends?: boolean;
}

/**
 * Compiles one operator's argument for one field.
 * @throws CommandError for an argument the operator does not take
 */
export type ModifierCompiler = (operand: Value, field: string, env: QueryEnv) => Modifier;
