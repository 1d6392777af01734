import { firstNotBefore } from '../../bson/sorted.js';
import { type Doc, int32, type Value } from '../../bson/value.js';
import type { SortOrder } from '../../query/sort.js';
import { PAUSE, type Pause } from '../../bson/pause.js';
import { type Match, PlanStage, type RunContext } from './stage.js';

/** A sort as it was asked for, and compiled. */
export interface Sorting {
  readonly pattern: Doc;
  readonly order: SortOrder;
}

interface Keyed {
  readonly match: Match;
  readonly key: readonly Value[];
}

/** The next match of a sequence that is merged with others. */
interface Head extends Keyed {
  readonly rest: Generator<Match | Pause>;
}

/** Sorts all it gets; keeps no more than `limit` when there is one. */
export class Sort extends PlanStage {
  constructor(
    private readonly input: PlanStage,
    private readonly sorting: Sorting,
    private readonly limit: number,
  ) {
    super('SORT', [input]);
  }

  *run(context: RunContext): Generator<Match | Pause> {
    let kept: Keyed[] = [];
    const cut = this.limit * 2 + 1000;
    for (const match of this.input.run(context)) {
      if (match === PAUSE) {
        yield PAUSE;
        continue;
      }
      this.works++;
      kept.push({ match, key: this.sorting.order.keyOf(match.doc) });
      if (kept.length > cut) kept = this.sorted(kept);
    }
    for (const { match } of this.sorted(kept)) {
      this.returned++;
      yield match;
    }
  }

  private sorted(matches: Keyed[]): Keyed[] {
    matches.sort((a, b) => this.sorting.order.compareKeys(a.key, b.key));
    return matches.length > this.limit ? matches.slice(0, this.limit) : matches;
  }

  protected details(): [string, Value][] {
    const limit: [string, Value][] = Number.isFinite(this.limit) ? [['limitAmount', int32(this.limit)]] : [];
    return [['sortPattern', this.sorting.pattern], ['memLimit', int32(104_857_600)], ...limit, ['type', 'simple']];
  }

  protected override counters(): [string, Value][] {
    return [
      ['totalDataSizeSorted', int32(0)],
      ['usedDisk', false],
    ];
  }
}

/** Makes one sorted sequence of several, and gives each record once. */
export class SortMerge extends PlanStage {
  constructor(
    inputs: readonly PlanStage[],
    private readonly sorting: Sorting,
  ) {
    super('SORT_MERGE', inputs);
  }

  *run(context: RunContext): Generator<Match | Pause> {
    const given = new Set<number>();
    const heads: Head[] = [];
    for (const input of this.inputs) yield* this.enter(heads, input.run(context));
    for (let head = heads.shift(); head; head = heads.shift()) {
      this.works++;
      const { match } = head;
      yield* this.enter(heads, head.rest);
      if (given.has(match.id)) continue;
      given.add(match.id);
      this.returned++;
      yield match;
    }
  }

  /** Puts the next match of a sequence in its place among the heads of the others. */
  private *enter(heads: Head[], rest: Generator<Match | Pause>): Generator<Pause, void> {
    let next = rest.next();
    for (; next.value === PAUSE; next = rest.next()) yield PAUSE;
    if (next.done) return;
    const match = next.value;
    const key = this.sorting.order.keyOf(match.doc);
    const { order } = this.sorting;
    const place = firstNotBefore(0, heads.length, (each) => order.compareKeys(heads[each]!.key, key) <= 0);
    heads.splice(place, 0, { match, key, rest });
  }

  protected details(): [string, Value][] {
    return [['sortPattern', this.sorting.pattern]];
  }
}

/** Leaves out the first ones. */
export class Skip extends PlanStage {
  constructor(
    private readonly input: PlanStage,
    private readonly amount: number,
  ) {
    super('SKIP', [input]);
  }

  *run(context: RunContext): Generator<Match | Pause> {
    for (const match of this.input.run(context)) {
      if (match === PAUSE) {
        yield PAUSE;
        continue;
      }
      if (++this.works <= this.amount) continue;
      this.returned++;
      yield match;
    }
  }

  protected details(): [string, Value][] {
    return [['skipAmount', int32(this.amount)]];
  }
}

/** Ends after so many. */
export class Limit extends PlanStage {
  constructor(
    private readonly input: PlanStage,
    private readonly amount: number,
  ) {
    super('LIMIT', [input]);
  }

  *run(context: RunContext): Generator<Match | Pause> {
    for (const match of this.input.run(context)) {
      if (match === PAUSE) {
        yield PAUSE;
        continue;
      }
      this.works++;
      this.returned++;
      yield match;
      if (this.returned >= this.amount) return;
    }
  }

  protected details(): [string, Value][] {
    return [['limitAmount', int32(this.amount)]];
  }
}
