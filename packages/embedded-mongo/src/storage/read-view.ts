import type { Tick } from './clock.js';
import type { WriteUnit } from './write-unit.js';

/**
 * What a reader sees: every commit up to `tick`, and the uncommitted writes of `unit` if it is given.
 * `LATEST` sees each commit at once; a `Snapshot` stays at one point in time; a `WriteUnit` also sees its own writes.
 */
export interface ReadView {
  readonly tick: Tick;
  readonly unit?: WriteUnit | undefined;
}

/** Reads what is committed at the moment of each read (readConcern local and majority, which are one here). */
export const LATEST: ReadView = { tick: Infinity };
