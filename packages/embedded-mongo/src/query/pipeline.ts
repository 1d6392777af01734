import { type Doc, isDoc, type Value } from '../bson/value.js';
import { CommandError, inContext } from '../errors.js';
import type { PipelineHost, PipelineNamespace, QueryEnv } from './env.js';
import { HeapWatch } from './memory.js';
import { metadataOf, QueryMetadata } from './metadata.js';
import { type LeadingSplit, splitPipeline } from './pipeline/leading.js';
import { neededPaths } from './pipeline/needed-paths.js';
import { assertPlacement, parseStage, type ParsedStage } from './pipeline/placement.js';
import { writeTarget } from './pipeline/writes.js';
import { ConstantError } from './expression/operator.js';
import type { Enclosure, Stage, StageContext } from './stage/stage.js';
import { PAUSE, unpaused } from '../bson/pause.js';
import { checkInterrupt, isPauseDue, spend } from '../bson/work.js';

export { pipelineWrites } from './pipeline/writes.js';
export { pipelineStages } from './pipeline/stages.js';
export { splitPipeline } from './pipeline/leading.js';
import type { DocFlow, Pipeline } from './pipeline/compiled.js';

export interface PipelineOptions {
  readonly namespace: PipelineNamespace;
  /** What it stands in, from the outside in; a stage forbidden in any of them is refused. */
  readonly enclosures?: readonly Enclosure[];
}

/** How deep pipelines of `$lookup` and `$unionWith` may stand in each other. */
const MAX_DEPTH = 20;
const NESTING: ReadonlySet<Enclosure> = new Set(['$lookup', '$unionWith']);

/**
 * Compiles an aggregation pipeline.
 * @throws CommandError as MongoDB does, for a stage that is unknown, malformed or out of place
 * @see https://www.mongodb.com/docs/v7.0/reference/operator/aggregation-pipeline/
 */
export function compilePipeline(stages: readonly Value[], given: QueryEnv, options: PipelineOptions): Pipeline {
  if (stages.length > 1000) throw new CommandError(7749501, 'Pipeline length must be no longer than 1000 stages');
  const { namespace, enclosures = [] } = options;
  if (enclosures.filter((enclosure) => NESTING.has(enclosure)).length > MAX_DEPTH) {
    throw new CommandError(
      'MaxSubPipelineDepthExceeded',
      `Maximum number of nested sub-pipelines exceeded. Limit is ${MAX_DEPTH}`,
    );
  }
  const parsed = stages.map(parseStage);
  const metadata = enclosures.at(-1) === '$facet' ? given.metadata! : new QueryMetadata(metadataOfStages(parsed));
  const env: QueryEnv = { ...given, metadata, allowsWhere: false };
  assertPlacement(parsed, namespace, enclosures);
  const context: StageContext = {
    env,
    namespace,
    get host() {
      return hostOf(env);
    },
    compileUpdate: compilePipelineUpdate,
    compile: (inner, enclosure, other = namespace, innerEnv = env) =>
      compilePipeline(inner, innerEnv, { namespace: other, enclosures: [...enclosures, enclosure] }),
  };
  const compiled = compileStages(parsed, context);
  const [first] = parsed;
  const source = first?.definition.isSource ? { name: first.name, spec: first.spec } : undefined;
  const { leading, count } = source ? { leading: {}, count: 1 } : splitPipeline(stages);
  const fields = source || metadata.wanted.size > 0 ? undefined : neededPaths(stages[count]);
  const query = fields ? { ...leading, fields } : leading;
  const isOutermost = enclosures.every((enclosure) => enclosure === 'transaction');
  const through = (docs: DocFlow, from: number): DocFlow => {
    const carries = metadata.wanted.size > 0;
    const results = compiled.slice(from).reduce((input, stage, i) => {
      const isStreaming = STREAMING.has(parsed[from + i]!.name);
      const output = carries && isStreaming ? carrying(metadata, stage)(input) : stage(input);
      return MULTIPLYING.has(parsed[from + i]!.name) ? watched(output) : output;
    }, watched(docs));
    return isOutermost ? explained(results) : results;
  };
  return {
    env,
    leading: query,
    source,
    writes: writeTarget(parsed.at(-1), namespace),
    process: (docs) => through(docs, count),
    processAll: (docs) => through(docs, 0),
    run() {
      const documents = source ? (compiled[0] as Stage)([]) : readCollection(context, query);
      return this.process(documents);
    },
  };
}

/** The metadata that the documents of a pipeline can have. */
function metadataOfStages([first]: readonly ParsedStage[]): readonly string[] {
  if (first?.name === '$geoNear') return ['geoNearDistance', 'geoNearPoint'];
  return first?.name === '$match' && isDoc(first.spec) ? metadataOf(first.spec) : [];
}

/** Stages whose documents come each of the one they read last, and keep its metadata. */
const STREAMING: ReadonlySet<string> = new Set([
  '$addFields',
  '$graphLookup',
  '$lookup',
  '$project',
  '$redact',
  '$replaceRoot',
  '$replaceWith',
  '$set',
  '$unset',
  '$unwind',
]);

const carrying = (metadata: QueryMetadata, stage: Stage): Stage =>
  function* (docs) {
    let last: Doc | undefined;
    const noting = function* (): DocFlow {
      for (const doc of docs) yield doc === PAUSE ? PAUSE : (last = doc);
    };
    for (const doc of stage(noting())) {
      if (last && doc !== PAUSE) metadata.carry(last, doc);
      yield doc;
    }
  };

function readCollection({ env, host, namespace }: StageContext, leading: LeadingSplit['leading']): DocFlow {
  const { db, coll } = namespace;
  return coll === undefined ? [] : host.read({ db, coll }, leading, env);
}

function hostOf({ host }: QueryEnv): PipelineHost {
  if (host === undefined) throw new CommandError('InternalError', 'this pipeline runs where no collection can be read');
  return host;
}

/** Stages that give more documents than they read. */
const MULTIPLYING: ReadonlySet<string> = new Set(['$densify', '$graphLookup', '$lookup', '$unionWith', '$unwind']);

/** Going on to the next document, in elements of an array. */
const DOCUMENT_WORK = 16;

function* watched(docs: DocFlow): DocFlow {
  const watch = new HeapWatch();
  for (const doc of docs) {
    if (doc === PAUSE || isPauseDue()) yield PAUSE;
    if (doc === PAUSE) continue;
    checkInterrupt();
    spend(DOCUMENT_WORK);
    watch.check();
    yield doc;
  }
}

function compileStages(stages: readonly ParsedStage[], context: StageContext): Stage[] {
  try {
    return stages.map(({ definition, spec, name }) => definition.compile(spec, context, name));
  } catch (error) {
    if (!(error instanceof ConstantError)) throw error;
    throw new ConstantError(error.code, `Failed to optimize pipeline :: caused by :: ${error.message}`);
  }
}

/** Tells of an error that it came from running the pipeline; it stays the same error, with its code and labels. */
function* explained(docs: DocFlow): DocFlow {
  try {
    yield* docs;
  } catch (error) {
    throw inContext(error, 'PlanExecutor error during aggregation');
  }
}

/**
 * A pipeline as an update: stages that change a document, one by one. What is wrong with its constants is an error once
 * there is a document to change.
 * @throws CommandError for any other stage
 */
export function compilePipelineUpdate(stages: readonly Value[], env: QueryEnv): (doc: Doc) => Doc {
  let pipeline: Pipeline;
  try {
    pipeline = compilePipeline(stages, env, { namespace: { db: '', coll: '' }, enclosures: ['update'] });
  } catch (error) {
    if (!(error instanceof ConstantError)) throw error;
    return () => {
      throw error;
    };
  }
  return (doc) => {
    const [updated] = unpaused(pipeline.processAll([doc]));
    return updated ?? doc;
  };
}
