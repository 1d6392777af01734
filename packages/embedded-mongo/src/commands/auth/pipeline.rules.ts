import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { targetOf as writeTargetOf } from '../../query/pipeline/writes.js';
import type { Namespace } from '../../storage/namespace.js';
import type { May } from './rule.js';

/** What stages take that read something else than the collection (src/mongo/db/pipeline/document_source_*.h). */
const SOURCES: Readonly<Record<string, string>> = {
  $collStats: 'collStats',
  $indexStats: 'indexStats',
  $planCacheStats: 'planCacheRead',
  $listSearchIndexes: 'listSearchIndexes',
};
/** Those that are about the whole server. What is the user's own needs no privilege. */
const CLUSTER_SOURCES: Readonly<Record<string, string>> = {
  $currentOp: 'inprog',
  $listSessions: 'listSessions',
  $listLocalSessions: 'listSessions',
};
/** Reads what it is given. */
const WITHOUT_SOURCE = ['$documents'];
const SCRIPTS = new Set(['$function', '$accumulator', '$where']);
const JOINS = ['$lookup', '$graphLookup', '$unionWith'];

/** Whether all that a pipeline reads and writes is allowed, in whatever stage of a stage it does so. */
export function mayRunPipeline(
  stages: readonly Value[],
  on: Partial<Namespace> & { readonly db: string },
  may: May,
  bypassesValidation = false,
): boolean {
  const [first] = stages;
  const [source] = isDoc(first) ? first.keys() : [];
  const spec = isDoc(first) ? first.get(source!) : undefined;
  if (!mayReadSource(source, isDoc(spec) ? spec : undefined, on, may)) return false;
  return stages.every(
    (stage) =>
      !isDoc(stage) ||
      [...stage].every(
        ([name, value]) =>
          mayReadInStage(name, value, on, may) && mayWrite(name, value, on.db, may, bypassesValidation),
      ),
  );
}

function mayReadSource(
  stage: string | undefined,
  spec: Doc | undefined,
  on: Partial<Namespace> & { readonly db: string },
  may: May,
): boolean {
  if (stage !== undefined && Object.hasOwn(CLUSTER_SOURCES, stage)) {
    return isOwnOnly(stage, spec) || may(CLUSTER_SOURCES[stage]!, 'cluster');
  }
  if (stage === '$changeStream') {
    const watched = spec?.get('allChangesForCluster') === true ? {} : on;
    return may('changeStream', watched) && may('find', watched);
  }
  if (stage !== undefined && WITHOUT_SOURCE.includes(stage)) return true;
  return on.coll === undefined || may(SOURCES[stage ?? ''] ?? 'find', on);
}

/** A command that has a script anywhere. */
export function hasScript(value: Value | readonly Value[]): boolean {
  if (Array.isArray(value)) return value.some(hasScript);
  return isDoc(value as Value) && [...(value as Doc)].some(([key, inner]) => SCRIPTS.has(key) || hasScript(inner));
}

const isOwnOnly = (stage: string, spec: Doc | undefined): boolean =>
  spec !== undefined && spec.get('allUsers') !== true && (stage === '$currentOp' || !spec.has('users'));

function mayReadInStage(name: string, spec: Value, { db }: { readonly db: string }, may: May): boolean {
  if (name === '$facet') {
    return (
      !isDoc(spec) || [...spec.values()].every((inner) => !Array.isArray(inner) || mayRunPipeline(inner, { db }, may))
    );
  }
  if (!JOINS.includes(name)) return true;
  const from = isDoc(spec) ? (spec.get('from') ?? spec.get('coll')) : spec;
  const foreign = from === undefined ? { db } : writeTargetOf(from, db);
  const inner = isDoc(spec) ? spec.get('pipeline') : undefined;
  // what a join reads of its collection has to be allowed even where its pipeline begins with another source
  if (foreign && 'coll' in foreign && !may('find', foreign)) return false;
  return !Array.isArray(inner) || mayRunPipeline(inner, foreign ?? { db }, may);
}

function mayWrite(name: string, spec: Value, db: string, may: May, bypassesValidation: boolean): boolean {
  if (name !== '$out' && name !== '$merge') return true;
  const target = writeTargetOf(name === '$merge' && isDoc(spec) ? (spec.get('into') ?? null) : spec, db);
  if (!target) return true; // refused as no valid stage
  const actions = name === '$out' ? ['insert', 'remove'] : mergeActions(isDoc(spec) ? spec : new Map());
  if (bypassesValidation) actions.push('bypassDocumentValidation');
  return actions.every((action) => may(action, target));
}

/** Each mode asks for what it does (src/mongo/db/pipeline/document_source_merge_modes). */
function mergeActions(spec: Doc): string[] {
  const actions = [];
  const [whenMatched, whenNotMatched] = [spec.get('whenMatched') ?? 'merge', spec.get('whenNotMatched') ?? 'insert'];
  if (whenMatched !== 'fail') actions.push('update');
  if (whenNotMatched === 'insert') actions.push('insert');
  return actions;
}
