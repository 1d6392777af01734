import type { Doc, Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { QueryEnv } from '../../query/env.js';
import { hasText, metadataOf, QueryMetadata } from '../../query/metadata.js';
import { TextIndexFields } from '../../query/text/text-index.js';
import { TextQuery } from '../../query/text/text-query.js';
import type { Collection } from '../collection.js';
import { readSlot } from '../record-store.js';
import type { StoredIndex } from '../stored-index.js';
import { Fetch, plannerError } from './access.stages.js';
import { residualOf } from './candidates.js';
import { conjunctionOf } from './predicate.js';
import { Match, PlanStage, type RunContext } from './stage.js';
import { PAUSE, type Pause } from '../../bson/pause.js';
import { isPauseDue, spend } from '../../bson/work.js';
import { RECORD_WORK } from './key-walk.js';
import type { PlannedFilter } from './candidate.js';

/**
 * The environment in which a filter with `$text` is compiled: with the collection's text index.
 * @throws CommandError IndexNotFound (27) when it has none
 */
export function textEnv(collection: Collection, filter: Doc, env: QueryEnv): QueryEnv {
  if (!hasText(filter)) return env;
  const index = textIndexOf(collection);
  if (!index) throw new CommandError('IndexNotFound', 'text index required for $text query');
  const fields = new TextIndexFields(index.spec.doc);
  const metadata = env.metadata ?? new QueryMetadata(metadataOf(filter));
  return { ...env, metadata, textSearch: (operand) => new TextQuery(operand, fields) };
}

const textIndexOf = (collection: Collection): StoredIndex | undefined =>
  collection.indexes.list().find(({ spec }) => spec.kind === 'text' && !spec.isHidden);

/**
 * Reads for a filter with a `$text` that has to hold; undefined for one without.
 * @throws CommandError NoQueryExecutionPlans (291) when a compound index' first fields are not given
 */
export function textMatch(collection: Collection, filter: Doc, env: QueryEnv): PlanStage | undefined {
  const operand = operandOf(filter);
  const index = textIndexOf(collection);
  if (operand === undefined || !index || !env.textSearch) return undefined;
  const residual = residualOf(filter, env); // checks the filter, before it is taken apart
  const { predicates } = conjunctionOf(filter);
  const kinds = [...index.spec.key];
  const prefix = kinds.slice(
    0,
    kinds.findIndex(([, kind]) => kind === 'text'),
  );
  if (!prefix.every(([field]) => predicates.some(({ path, operator }) => path === field && operator === '$eq'))) {
    throw plannerError(
      collection,
      'NoQueryExecutionPlans',
      'failed to use text index to satisfy $text query (if text index is compound, are equality predicates given for all prefix fields?)',
    );
  }
  return new TextMatch(collection, index, env.textSearch(operand), residual);
}

function operandOf(filter: Doc): Value | undefined {
  if (filter.has('$text')) return filter.get('$text');
  const parts = filter.get('$and');
  if (!Array.isArray(parts)) return undefined;
  for (const part of parts) {
    const operand = operandOf(part as Doc);
    if (operand !== undefined) return operand;
  }
  return undefined;
}

/** The records that have a term of the search. */
class TermScan extends PlanStage {
  constructor(
    private readonly collection: Collection,
    readonly index: StoredIndex,
    private readonly terms: ReadonlySet<string>,
  ) {
    super('TEXT_SCAN');
  }

  *run({ view }: RunContext): Generator<Match | Pause> {
    const given = new Set<number>();
    const { format, tree } = this.index;
    for (const term of this.terms) {
      const cursor = tree.range(format.edge([term], false), format.edge([term], true));
      while (cursor.next()) {
        this.keysExamined++;
        this.works++;
        spend(RECORD_WORK);
        if (isPauseDue()) yield PAUSE;
        const bytes = given.has(cursor.id) ? undefined : readSlot(this.collection.records.get(cursor.id), view);
        if (!bytes) continue;
        given.add(cursor.id);
        this.returned++;
        yield new Match(cursor.id, bytes);
      }
    }
  }

  protected details(): [string, Value][] {
    return [];
  }
}

/** The records a search finds. */
class TextMatch extends Fetch {
  constructor(collection: Collection, index: StoredIndex, query: TextQuery, residual: PlannedFilter['residual']) {
    super(new TermScan(collection, index, query.terms), residual, 'TEXT_MATCH');
  }
}
