import type { Timestamp } from 'bson';
import type { Collation } from '../bson/collation.js';
import type { Pause } from '../bson/pause.js';
import type { Doc, Value } from '../bson/value.js';
import type { GeoIndexOn } from './geo/near.js';
import type { QueryMetadata } from './metadata.js';
import type { TextQuery } from './text/text-query.js';

/** What a query, update or pipeline knows of the command it runs in. */
export interface QueryEnv {
  /** How strings compare; by code point when absent. */
  readonly collation?: Collation;
  /** The command's `let` variables, by name without `$$`. */
  readonly variables?: ReadonlyMap<string, Value>;
  /** Collects the expressions of variables alone: who binds them computes these at once, so that their errors come up. */
  readonly boundExpressions?: (() => unknown)[];
  /** `$$NOW`: one instant for the whole command. */
  readonly now: Date;
  /** `$$CLUSTER_TIME`. */
  readonly clusterTime?: Timestamp;
  /** How many milliseconds of the command's `maxTimeMS` are left. */
  readonly timeLeft?: () => number;
  /** What `$meta` reads; absent where no query runs. */
  readonly metadata?: QueryMetadata;
  /** Makes a search of the operand of `$text`; absent where there is no text index. */
  readonly textSearch?: (operand: Value) => TextQuery;
  /** Whether filters may have a `$where`: those of commands may, others not. */
  readonly allowsWhere?: boolean;
  /** What a pipeline reads from and writes to; absent where no pipeline may run. */
  readonly host?: PipelineHost;
}

/** A namespace: a database and a collection. */
export interface Namespace {
  readonly db: string;
  readonly coll: string;
}

/** What of a query comes first in a pipeline, for a planner that can answer it from an index. */
export interface LeadingQuery {
  readonly filter?: Doc;
  readonly sort?: Doc;
  readonly skip?: number;
  readonly limit?: number;
  /** Given when the pipeline reads nothing of the documents but values at these paths. */
  readonly fields?: readonly string[];
}

/** The collection a pipeline runs on; without `coll` it runs on the database (`aggregate: 1`). */
export interface PipelineNamespace {
  readonly db: string;
  readonly coll?: string;
}

/** What pipelines need of the storage, implemented outside of query/. */
export interface PipelineHost {
  /**
   * The documents of a collection or view, in the snapshot the command reads; of `query` every part is applied.
   * A collection that does not exist has none.
   * @param env the environment `query` is to be evaluated in, with the variables of a $lookup
   */
  read(namespace: Namespace, query?: LeadingQuery, env?: QueryEnv): Iterable<Doc | Pause>;

  /** Whether an equality on a field of a collection is answered by an index, so that `read` is worth calling often. */
  isIndexed(namespace: Namespace, field: string): boolean;

  /** The geospatial indexes of a collection; undefined when there is no such collection. */
  geoIndexes(namespace: Namespace): readonly GeoIndexOn[] | undefined;

  /** The documents of a stage that makes its own: `$collStats`, `$indexStats`, `$currentOp`, … */
  source(stage: string, spec: Value, namespace: PipelineNamespace): Iterable<Doc>;

  /** Replaces all documents of a collection as `$out` does: indexes and options are kept, and none or all is done. */
  replaceCollection(namespace: Namespace, docs: Iterable<Doc>): void;

  /** Where `$merge` writes. @throws CommandError when the namespace cannot be written to */
  writer(namespace: Namespace, env: QueryEnv): CollectionWriter;
}

/** One collection as `$merge` writes to it: it sees the writes made so far. */
export interface CollectionWriter {
  /** The first document that matches a filter, as it is now. */
  find(filter: Doc): Doc | undefined;
  /** @throws CommandError DuplicateKey */
  insert(doc: Doc): void;
  replace(existing: Doc, replacement: Doc): void;
  /** Does one write of an unordered batch: an error of it is kept until the others are done. */
  attempt(write: () => void): void;
  /** Whether exactly these fields have a unique index that covers every document. */
  hasUniqueIndex(fields: readonly string[]): boolean;
}

/** An environment without variables, collation or limits, of the instant it is made. */
export const plainEnv = (): QueryEnv => ({ now: new Date() });
