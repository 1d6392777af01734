import { type Doc, int32, type Value } from '../../bson/value.js';
import type { SortOrder } from '../../query/sort.js';
import { type Match, PlanStage, type RunContext } from './stage.js';

interface Keyed {
  readonly match: Match;
  readonly key: readonly Value[];
}

/** Sorts all it gets; keeps no more than `limit` when there is one. */
export class Sort extends PlanStage {
  constructor(
    private readonly input: PlanStage,
    private readonly pattern: Doc,
    private readonly order: SortOrder,
    private readonly limit: number,
  ) {
    super('SORT', [input]);
  }

  *run(context: RunContext): Generator<Match> {
    let kept: Keyed[] = [];
    const cut = this.limit * 2 + 1000;
    for (const match of this.input.run(context)) {
      this.works++;
      kept.push({ match, key: this.order.keyOf(match.doc) });
      if (kept.length > cut) kept = this.sorted(kept);
    }
    for (const { match } of this.sorted(kept)) {
      this.returned++;
      yield match;
    }
  }

  private sorted(matches: Keyed[]): Keyed[] {
    matches.sort((a, b) => this.order.compareKeys(a.key, b.key));
    return matches.length > this.limit ? matches.slice(0, this.limit) : matches;
  }

  protected details(): [string, Value][] {
    const limit: [string, Value][] = Number.isFinite(this.limit) ? [['limitAmount', int32(this.limit)]] : [];
    return [['sortPattern', this.pattern], ['memLimit', int32(104_857_600)], ...limit, ['type', 'simple']];
  }

  protected override counters(): [string, Value][] {
    return [
      ['totalDataSizeSorted', int32(0)],
      ['usedDisk', false],
    ];
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

  *run(context: RunContext): Generator<Match> {
    for (const match of this.input.run(context)) {
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

  *run(context: RunContext): Generator<Match> {
    for (const match of this.input.run(context)) {
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
