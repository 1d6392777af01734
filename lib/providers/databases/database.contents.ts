/** What was made on a database. Another object when that is not there any more: dropped, or on another cluster. */
export class DatabaseContents {
  /** The collections whose writes wait for nothing. */
  readonly prepared = new Set<string>();
}
