import type { Doc } from '../../bson/value.js';

/** What to read, as `find` and the first stages of a pipeline say it. */
export interface PlanRequest {
  readonly filter: Doc;
  readonly sort?: Doc | undefined;
  readonly skip?: number | undefined;
  /** Absent or 0 for no limit. */
  readonly limit?: number | undefined;
  /** An index's name or key pattern, or `{ $natural: ±1 }`. */
  readonly hint?: Doc | string | undefined;
  readonly min?: Doc | undefined;
  readonly max?: Doc | undefined;
  /** What is shown of the documents: an index that has all of it is read alone. Who reads the plan projects. */
  readonly projection?: Doc | undefined;
  /** Given when nothing is read of the documents but values at these paths; the same is worked out of `projection`. */
  readonly fields?: readonly string[] | undefined;
  /** Only how many there are is wanted: the plan gives none, and is asked to `count`. */
  readonly isCount?: boolean;
  /** Only the different values of this field are wanted: one document for each may be enough. */
  readonly distinctKey?: string | undefined;
}
