import { createHash } from 'node:crypto';
import { type Doc, docOf, int32 } from '../../bson/value.js';
import type { QueryEnv } from '../../query/env.js';
import type { Collection } from '../collection.js';
import { nsString } from '../namespace.js';
import type { ReadView } from '../read-view.js';
import { IdLookup } from './access.stages.js';
import { Count } from './count.stages.js';
import { DistinctScan, IndexScan } from './index-scan.stage.js';
import type { PlanRequest } from './plan-request.js';
import { atOnce, PAUSE, type Pause, unpaused } from '../../bson/pause.js';
import type { Match, PlanStage } from './stage.js';

/** A chosen way to read a collection, and those that were not chosen. */
export class QueryPlan {
  constructor(
    private readonly winner: PlanStage,
    private readonly rejected: readonly PlanStage[],
    private readonly request: PlanRequest,
    private readonly env: QueryEnv,
    private readonly collection?: Collection,
  ) {}

  /** Gives the matching records in order, lazily. */
  run(view: ReadView): Generator<Match> {
    return unpaused(this.runInTurns(view));
  }

  /** The same, with pauses in which others have their turn. */
  runInTurns(view: ReadView): Generator<Match | Pause> {
    this.noteAccess();
    return this.winner.run({ view, env: this.env });
  }

  /** How many records match. Documents are decoded only where the index bounds leave something to check. */
  count(view: ReadView): number {
    return atOnce(this.countInTurns(view));
  }

  /** The same, with pauses in which others have their turn. */
  *countInTurns(view: ReadView): Generator<Pause, number> {
    this.noteAccess();
    const context = { view, env: this.env };
    if (this.winner instanceof Count) return yield* this.winner.count(context);
    let count = 0;
    for (const match of this.winner.run(context)) {
      if (match === PAUSE) yield PAUSE;
      else count++;
    }
    return count;
  }

  /** Whether it gives one record for each key of an index, where a missing value is null as in the index. */
  get isOfKeys(): boolean {
    return this.winner.inputs[0] instanceof DistinctScan;
  }

  private noteAccess(): void {
    if (this.winner instanceof IdLookup) this.winner.index.accesses++;
    else
      for (const stage of stagesIn(this.winner))
        if (stage instanceof IndexScan || stage instanceof IdLookup) stage.index.accesses++;
  }

  /** Names of the indexes it reads, as `planSummary` in logs and profiles shows them: `IXSCAN { a: 1 }` or `COLLSCAN`. */
  get summary(): string {
    const names = [...stagesIn(this.winner)].filter(({ inputs }) => inputs.length === 0).map(({ name }) => name);
    return names.join(', ');
  }

  /** `queryPlanner` of explain. */
  queryPlannerDoc(): Doc {
    const shape = [...this.request.filter.keys(), '|', ...(this.request.sort?.keys() ?? [])].join();
    const hash = createHash('md5').update(shape).digest('hex').slice(0, 8).toUpperCase();
    return docOf(
      ['namespace', this.collection ? nsString(this.collection.ns) : ''],
      ['indexFilterSet', false],
      ['parsedQuery', this.request.filter],
      ['queryHash', hash],
      ['planCacheKey', hash],
      ['maxIndexedOrSolutionsReached', false],
      ['maxIndexedAndSolutionsReached', false],
      ['maxScansToExplodeReached', false],
      ['winningPlan', this.winner.explain(false)],
      ['rejectedPlans', this.rejected.map((stage) => stage.explain(false))],
    );
  }

  /** Runs the plan to its end and gives `executionStats` of explain. */
  executionStatsDoc(view: ReadView): Doc {
    const start = performance.now();
    this.count(view);
    return docOf(
      ['executionSuccess', true],
      ['nReturned', int32(this.winner.returned)],
      ['executionTimeMillis', int32(Math.round(performance.now() - start))],
      ['totalKeysExamined', int32(this.winner.total('keysExamined'))],
      ['totalDocsExamined', int32(this.winner.total('docsExamined'))],
      ['executionStages', this.winner.explain(true)],
    );
  }
}

function* stagesIn(stage: PlanStage): Generator<PlanStage> {
  yield stage;
  for (const input of stage.inputs) yield* stagesIn(input);
}
