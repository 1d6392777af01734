import { int32, type Value } from '../../bson/value.js';
import type { Collection } from '../collection.js';
import { LATEST } from '../read-view.js';
import { boundsDoc } from './index-bounds.js';
import { IndexScan } from './index-scan.stage.js';
import { isPoint, MAX, MIN } from './interval.js';
import { KeyWalk } from './key-walk.js';
import { PAUSE, type Pause } from '../../bson/pause.js';
import { isPauseDue } from '../../bson/work.js';
import { type Match, PlanStage, type RunContext } from './stage.js';

/** How many matches there are. It gives none of them. */
export class Count extends PlanStage {
  private counted = 0;
  private skipped = 0;

  /** @param limit Infinity for none */
  constructor(
    private readonly input: PlanStage | undefined,
    private readonly skip: number,
    private readonly limit: number,
    name = 'COUNT',
  ) {
    super(name, input && [input]);
  }

  *count(context: RunContext): Generator<Pause, number> {
    const found = yield* this.found(context, this.skip + this.limit);
    this.skipped = Math.min(found, this.skip);
    this.counted = found - this.skipped;
    this.works = found;
    return this.counted;
  }

  /** Counts what there is, no further than `most`. */
  protected *found(context: RunContext, most: number): Generator<Pause, number> {
    const input = this.input!;
    return yield* input instanceof CountScan ? input.count(context, most) : drained(input.run(context), most);
  }

  *run(context: RunContext): Generator<Match | Pause> {
    yield* this.count(context);
  }

  protected details(): [string, Value][] {
    return [];
  }

  protected override counters(): [string, Value][] {
    return [
      ['nCounted', int32(this.counted)],
      ['nSkipped', int32(this.skipped)],
    ];
  }
}

function* drained(matches: Generator<Match | Pause>, limit: number): Generator<Pause, number> {
  let count = 0;
  if (limit === 0) return 0;
  for (const match of matches) {
    if (match === PAUSE) yield PAUSE;
    else if (++count >= limit) break;
  }
  return count;
}

/** Counts the keys of one stretch of an index. */
export class CountScan extends IndexScan {
  constructor(scan: IndexScan) {
    super(scan.collection, scan.index, scan.bounds, scan.ranges, false, undefined, 'COUNT_SCAN');
  }

  *count(context: RunContext, limit: number): Generator<Pause, number> {
    const walk = new KeyWalk(this, context, this);
    while (this.returned < limit && walk.next()) {
      this.returned++;
      if (isPauseDue()) yield PAUSE;
    }
    if (this.returned < limit) this.keysExamined++; // the key behind the last one, as mongod counts it
    return this.returned;
  }

  protected override details(): [string, Value][] {
    const first = this.bounds.fields.map(
      (intervals) => intervals[0] ?? { low: MIN, high: MAX, isLowIn: true, isHighIn: true },
    );
    const names = this.index.spec.fields;
    const key = (side: 'low' | 'high'): Value => new Map(first.map((each, i) => [names[i]!, each[side]]));
    const bounds = new Map<string, Value>([
      ['startKey', key('low')],
      ['startKeyInclusive', first.every(({ isLowIn }) => isLowIn)],
      ['endKey', key('high')],
      ['endKeyInclusive', first.every(({ isHighIn }) => isHighIn)],
    ]);
    return [...this.identity(), ['indexBounds', this.isSimple ? bounds : boundsDoc(this.index, this.bounds, false)]];
  }

  /** Whether a start and an end say all: points, and one interval after them. */
  private get isSimple(): boolean {
    const open = this.bounds.fields.findIndex((intervals) => !intervals.every((each) => isPoint(each)));
    return open === -1 || this.bounds.fields[open]!.length === 1;
  }

  protected override counters(): [string, Value][] {
    return [['keysExamined', int32(this.keysExamined)]];
  }
}

/** The number of documents that the collection keeps. */
export class FastCount extends Count {
  constructor(
    private readonly collection: Collection,
    skip: number,
    limit: number,
  ) {
    super(undefined, skip, limit, 'RECORD_STORE_FAST_COUNT');
  }

  protected override *found({ view }: RunContext, most: number): Generator<Pause, number> {
    if (view === LATEST) return Math.min(this.collection.count, most);
    let count = 0;
    for (const _ of this.collection.scan(view)) {
      if (++count >= most) break;
      if (isPauseDue()) yield PAUSE;
    }
    return count;
  }
}
