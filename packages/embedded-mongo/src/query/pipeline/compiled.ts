import type { Pause } from '../../bson/pause.js';
import type { Doc, Value } from '../../bson/value.js';
import type { Namespace, QueryEnv } from '../env.js';
import type { LeadingSplit } from './leading.js';

/** Documents on their way through a pipeline, which pauses where it takes long. */
export type DocFlow = Iterable<Doc | Pause>;

/** A compiled aggregation pipeline. */
export interface Pipeline {
  /** What it is compiled with, and its leading query has to be. */
  readonly env: QueryEnv;
  /** The query it begins with, for a planner; `process` takes the documents that answer it. Empty for a source. */
  readonly leading: LeadingSplit['leading'];
  /** Its first stage when that makes its own documents: `$collStats`, `$changeStream`, … */
  readonly source: { readonly name: string; readonly spec: Value } | undefined;
  /** The collection that `$out` or `$merge` at its end writes to. */
  readonly writes: Namespace | undefined;
  /** Runs what comes after `leading`, or after `source`, on documents. */
  process(docs: DocFlow): DocFlow;
  /** Runs every stage on documents, those of `leading` too. */
  processAll(docs: DocFlow): DocFlow;
  /** Runs it all: reads the collection, or the source, by way of the host. */
  run(): DocFlow;
}
