/** A collection, view or time series collection as a file describes it, in raw BSON so that nothing is lost. */
export interface CollectionDefinition {
  readonly name: string;
  /** As `listCollections` gives it: `collection`, `view` or `timeseries`. */
  readonly type: string;
  /** The `options` of `listCollections`. */
  readonly options: Uint8Array;
  /** The index specifications of `listIndexes`. */
  readonly indexes: readonly Uint8Array[];
  /** 32 hexadecimal digits. */
  readonly uuid?: string;
}
