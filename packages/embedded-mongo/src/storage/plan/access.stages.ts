import { equalValues } from '../../bson/compare.js';
import { type Doc, int32, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { Filter } from '../../query/filter.js';
import type { Collection } from '../collection.js';
import { nsString } from '../namespace.js';
import type { StoredIndex } from '../stored-index.js';
import { checkAlive, RECORD_WORK } from './key-walk.js';
import { Match, PlanStage, type RunContext } from './stage.js';
import { PAUSE, type Pause } from '../../bson/pause.js';
import { isPauseDue, spend } from '../../bson/work.js';

/** What is left of the filter to check on each document. */
export interface Residual {
  readonly matches: Filter;
  readonly filter: Doc;
}

/** Reads every record. */
export class CollectionScan extends PlanStage {
  constructor(
    private readonly collection: Collection,
    private readonly residual: Residual | undefined,
    private readonly isReversed: boolean,
    /** The only fields that are asked of its matches. */
    private readonly fields?: ReadonlySet<string>,
  ) {
    super('COLLSCAN');
  }

  *run({ view }: RunContext): Generator<Match | Pause> {
    for (const { id, bytes } of this.collection.scan(view, this.isReversed)) {
      checkAlive(this.collection);
      this.docsExamined++;
      this.works++;
      spend(RECORD_WORK);
      if (isPauseDue()) yield PAUSE;
      const match = new Match(id, bytes, this.fields);
      if (this.residual && !this.residual.matches(match.doc)) continue;
      this.returned++;
      yield match;
    }
  }

  protected details(): [string, Value][] {
    const direction: [string, Value] = ['direction', this.isReversed ? 'backward' : 'forward'];
    return this.residual ? [['filter', this.residual.filter], direction] : [direction];
  }

  protected override counters(): [string, Value][] {
    return [['docsExamined', int32(this.docsExamined)]];
  }
}

/** The record of one `_id`. */
export class IdLookup extends PlanStage {
  constructor(
    private readonly collection: Collection,
    readonly index: StoredIndex,
    private readonly id: Value,
  ) {
    super('IDHACK');
  }

  *run({ view }: RunContext): Generator<Match | Pause> {
    this.works++;
    const { tree, format } = this.index;
    const key = format.key([this.id]);
    const cursor = tree.range(key, undefined);
    while (cursor.next() && format.compare(cursor.key, key) === 0) {
      this.keysExamined++;
      const bytes = this.collection.read(cursor.id, view);
      if (!bytes) continue;
      this.docsExamined++;
      this.returned++;
      yield new Match(cursor.id, bytes);
      return;
    }
  }

  protected details(): [string, Value][] {
    return [];
  }

  protected override counters(): [string, Value][] {
    return [
      ['keysExamined', int32(this.keysExamined)],
      ['docsExamined', int32(this.docsExamined)],
    ];
  }
}

/** Fetches the documents of an index scan and checks what the bounds leave open. */
export class Fetch extends PlanStage {
  constructor(
    private readonly input: PlanStage,
    private readonly residual: Residual | undefined,
    name = 'FETCH',
  ) {
    super(name, [input]);
  }

  *run(context: RunContext): Generator<Match | Pause> {
    for (const match of this.input.run(context)) {
      if (match === PAUSE || isPauseDue()) yield PAUSE;
      if (match === PAUSE) continue;
      this.works++;
      if (!match.isFetched) this.docsExamined++;
      match.isFetched = true;
      if (this.residual && !this.residual.matches(match.doc)) continue;
      this.returned++;
      yield match;
    }
  }

  protected details(): [string, Value][] {
    return this.residual ? [['filter', this.residual.filter]] : [];
  }

  protected override counters(): [string, Value][] {
    return [['docsExamined', int32(this.docsExamined)]];
  }
}

/** The records of several scans, each once: the clauses of an `$or`. */
export class Or extends PlanStage {
  constructor(inputs: readonly PlanStage[]) {
    super('OR', inputs);
  }

  *run(context: RunContext): Generator<Match | Pause> {
    const given = new Set<number>();
    for (const input of this.inputs) {
      for (const match of input.run(context)) {
        if (match === PAUSE) {
          yield PAUSE;
          continue;
        }
        this.works++;
        if (given.has(match.id)) continue;
        given.add(match.id);
        this.returned++;
        yield match;
      }
    }
  }

  protected details(): [string, Value][] {
    return [];
  }
}

/** A collection that does not exist. */
export class EndOfFile extends PlanStage {
  constructor() {
    super('EOF');
  }

  *run(): Generator<Match | Pause> {}

  protected details(): [string, Value][] {
    return [];
  }
}

/** How errors of the planner begin. @param tree the part of the query it could not plan, which clients look into */
export const plannerError = (
  collection: Collection,
  code: 'BadValue' | 'NoQueryExecutionPlans',
  what: string,
  tree?: string,
): CommandError =>
  new CommandError(
    code,
    `error processing query: ns=${nsString(collection.ns)}${tree ? `Tree: ${tree}\nSort: {}\nProj: {}\n` : ''} planner returned error :: caused by :: ${what}`,
  );

/** Whether two key patterns are the same one, in the same order. */
export const isSamePattern = (a: Doc, b: Doc): boolean => a.size === b.size && equalValues(a, b);
