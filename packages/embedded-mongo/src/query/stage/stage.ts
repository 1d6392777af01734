import { collected, PAUSE } from '../../bson/pause.js';
import { isDoc, typeName, type Doc, type Value } from '../../bson/value.js';
import { CommandError, type ErrorCodeName } from '../../errors.js';
import type { PipelineHost, PipelineNamespace, QueryEnv } from '../env.js';
import type { DocFlow, Pipeline } from '../pipeline/compiled.js';

/** A compiled stage: documents to documents, as lazily as MongoDB. */
export type Stage = (docs: DocFlow) => DocFlow;

/** What a pipeline stands in; stages may be forbidden there. */
export type Enclosure = '$facet' | '$lookup' | '$unionWith' | 'update' | 'view' | 'transaction' | '$changeStream';

/** What the compiler of a stage knows of the pipeline around it. */
export interface StageContext {
  readonly env: QueryEnv;
  readonly namespace: PipelineNamespace;
  /** @throws CommandError when the pipeline runs where there is no storage */
  readonly host: PipelineHost;
  /** Compiles a pipeline inside of the stage. */
  compile(stages: readonly Value[], enclosure: Enclosure, namespace?: PipelineNamespace, env?: QueryEnv): Pipeline;
  /** Compiles a pipeline that changes a document. */
  readonly compileUpdate: (stages: readonly Value[], env: QueryEnv) => (doc: Doc) => Doc;
}

export interface StageDefinition {
  /** Where it has to stand; anywhere by default. */
  readonly position?: 'first' | 'last';
  readonly forbiddenIn?: readonly Enclosure[];
  /** The only kind of pipeline it may stand in. */
  readonly onlyIn?: Enclosure;
  /** Whether it makes its documents itself, so that the collection is not read. */
  readonly isSource?: true;
  /** Whether it needs no collection: `{ aggregate: 1 }`. */
  readonly isCollectionless?: true;
  compile(spec: Value, context: StageContext, name: string): Stage;
}

export type StageFamily = Readonly<Record<string, StageDefinition>>;

/** A stage that gives a document for each document. */
export function mapping(map: (doc: Doc) => Doc): Stage {
  return function* (docs) {
    for (const doc of docs) yield doc === PAUSE ? PAUSE : map(doc);
  };
}

/** A stage that has to have all documents before it gives the first one. */
export function holding(work: (docs: readonly Doc[]) => DocFlow): Stage {
  return function* (docs) {
    yield* work(yield* collected(docs));
  };
}

/** The specification of a stage that has to be a document. */
export function docSpec(spec: Value, code: ErrorCodeName | number, message: (type: string) => string): Doc {
  if (!isDoc(spec)) throw new CommandError(code, message(typeName(spec)));
  return spec;
}
