import type { Timestamp } from 'bson';
import type { Collation } from '../bson/collation.js';
import type { Value } from '../bson/value.js';
import type { QueryMetadata } from './metadata.js';
import type { PipelineHost } from './pipeline-host.js';
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

/** An environment without variables, collation or limits, of the instant it is made. */
export const plainEnv = (): QueryEnv => ({ now: new Date() });
