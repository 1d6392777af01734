import type { Tick } from './clock.js';

/** Whose writes are not committed: a `WriteUnit`. */
export interface Writer {
  /** Settled when it has committed or taken all back. */
  readonly ended: Promise<void>;
  /** Notes that it has looked something up, whose definition stays as it is until it ends. */
  touch(used: Touched): void;
}

/** What knows of those who have looked it up. */
export interface Touched {
  readonly transactions: Set<Writer>;
}

/**
 * What a reader sees: every commit up to `tick`, and the uncommitted writes of `unit` if it is given.
 * `LATEST` sees each commit at once; a `Snapshot` stays at one point in time; a `WriteUnit` also sees its own writes.
 */
export interface ReadView {
  readonly tick: Tick;
  readonly unit?: Writer | undefined;
}

/** Reads what is committed at the moment of each read (readConcern local and majority, which are one here). */
export const LATEST: ReadView = { tick: Infinity };
