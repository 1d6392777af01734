import type { Doc, Value } from '../../bson/value.js';
import type { QueryEnv } from '../env.js';
import type { Operand } from '../expression/operator.js';
import type { SortOrder } from '../sort.js';

/** The order of the partitions of `$setWindowFields`. */
export interface WindowSort {
  readonly order: SortOrder;
  /** The one field they are sorted by, if it is one and ascending: what ranges are measured on. */
  readonly path: readonly string[] | undefined;
  readonly size: number;
}

/** The documents of one partition, sorted. */
export type Partition = readonly Doc[];

/** Computes an output field: a value for each document of a partition. */
export type WindowFunction = (partition: Partition) => Operand[];

/** What the compiler of a window function knows. */
export interface WindowContext {
  readonly env: QueryEnv;
  readonly sort: WindowSort | undefined;
  /** The specification's `window`. */
  readonly window: Value | undefined;
}

export type WindowOperator = (argument: Value, context: WindowContext, name: string) => WindowFunction;
export type WindowFamily = Readonly<Record<string, WindowOperator>>;
