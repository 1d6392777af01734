import type { Doc } from '../../bson/value.js';
import type { StoredIndex } from '../stored-index.js';
import type { Residual } from './access.stages.js';
import type { IndexBounds, TreeRange } from './index-bounds.js';
import type { Conjunction } from './predicate.js';

/** A filter with what the planner needs of it, worked out once. */
export interface PlannedFilter extends Conjunction {
  readonly filter: Doc;
  readonly residual: Residual | undefined;
}

/** One way to read an index for a query. */
export interface Candidate {
  readonly index: StoredIndex;
  readonly bounds: IndexBounds;
  readonly ranges: readonly TreeRange[];
  readonly isReversed: boolean;
  readonly providesSort: boolean;
  /** Given where the sort is provided by several scans, to be merged. */
  readonly parts?: readonly Candidate[];
}
