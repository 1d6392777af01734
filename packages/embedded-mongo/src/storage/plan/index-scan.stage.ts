import { type Doc, int32, type Value } from '../../bson/value.js';
import type { Collection } from '../collection.js';
import type { StoredIndex } from '../stored-index.js';
import type { Residual } from './access.stages.js';
import { boundsDoc, type IndexBounds, keyParts, type TreeRange } from './index-bounds.js';
import { KeyWalk } from './key-walk.js';
import { PAUSE, type Pause } from '../../bson/pause.js';
import { isPauseDue } from '../../bson/work.js';
import { Match, PlanStage, type RunContext } from './stage.js';

/** What a scan gives of its records where their documents need not be fetched. */
export interface Covered {
  /** The top-level fields that the index has the values of. */
  readonly fields: ReadonlySet<string>;
  /** What the bounds leave open; it asks about those fields alone. */
  readonly residual: Residual | undefined;
}

/** Reads stretches of an index. Its records are fetched by the stage above, in explain as in mongod. */
export class IndexScan extends PlanStage {
  constructor(
    readonly collection: Collection,
    readonly index: StoredIndex,
    readonly bounds: IndexBounds,
    readonly ranges: readonly TreeRange[],
    readonly isReversed: boolean,
    private readonly covered?: Covered,
    name = 'IXSCAN',
  ) {
    super(name);
  }

  *run(context: RunContext): Generator<Match | Pause> {
    const walk = new KeyWalk(this, context, this);
    const { covered } = this;
    while (walk.next()) {
      if (isPauseDue()) yield PAUSE;
      const match = new Match(walk.id, walk.bytes, covered?.fields);
      if (covered?.residual && !covered.residual.matches(match.doc)) continue;
      this.returned++;
      yield match;
    }
  }

  protected details(): [string, Value][] {
    const direction: [string, Value] = ['direction', this.isReversed ? 'backward' : 'forward'];
    const bounds: [string, Value] = ['indexBounds', boundsDoc(this.index, this.bounds, this.isReversed)];
    const filter: [string, Value][] = this.covered?.residual ? [['filter', this.covered.residual.filter]] : [];
    return [...filter, ...this.identity(), direction, bounds];
  }

  /** Which index it is. */
  protected identity(): [string, Value][] {
    const { spec } = this.index;
    const parts = keyParts(this.index, this.bounds);
    const keyPattern: Doc = new Map(parts);
    const paths = parts.map(([name], i): [string, Value] => [
      name,
      prefixesOf(name, this.index.multikeyPaths.get(i) ?? []),
    ]);
    return [
      ['keyPattern', keyPattern],
      ['indexName', spec.name],
      ...(spec.collation ? [['collation', spec.collation.spec] as [string, Value]] : []),
      ['isMultiKey', this.index.isMultikey],
      ['multiKeyPaths', new Map(paths)],
      ['isUnique', spec.isUnique],
      ['isSparse', spec.isSparse],
      ['isPartial', spec.partialFilter !== undefined],
      ['indexVersion', int32(2)],
    ];
  }

  protected override counters(): [string, Value][] {
    return [
      ['keysExamined', int32(this.keysExamined)],
      ['seeks', int32(this.ranges.length)],
      ['dupsTested', int32(this.index.isMultikey ? this.keysExamined : 0)],
      ['dupsDropped', int32(0)],
    ];
  }
}

/** Gives one record for each value that the first fields of an index have together. */
export class DistinctScan extends IndexScan {
  /** @param width how many fields those are */
  constructor(
    scan: IndexScan,
    private readonly fields: ReadonlySet<string>,
    private readonly width: number,
  ) {
    super(scan.collection, scan.index, scan.bounds, scan.ranges, false, undefined, 'DISTINCT_SCAN');
  }

  override *run(context: RunContext): Generator<Match | Pause> {
    const walk = new KeyWalk(this, context, this);
    while (walk.next()) {
      if (isPauseDue()) yield PAUSE;
      const match = new Match(walk.id, walk.bytes, this.fields);
      this.returned++;
      yield match;
      if (this.index.isMultikey) continue; // its keys are given all at once
      const values = this.index.valuesOf(match.doc)[0]?.slice(0, this.width);
      if (values) walk.skipPast(values);
    }
  }

  protected override counters(): [string, Value][] {
    return [['keysExamined', int32(this.keysExamined)]];
  }
}

/** The starts of a path that are so many components long, as `multiKeyPaths` of explain lists them. */
function prefixesOf(path: string, lengths: Iterable<number>): string[] {
  const parts = path.split('.');
  return [...lengths].sort((a, b) => a - b).map((length) => parts.slice(0, length).join('.'));
}
