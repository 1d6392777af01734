import { PAUSE, type Pause } from '../../bson/pause.js';
import { encodeDoc } from '../../bson/encode.js';
import type { Doc, Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type {
  CollectionWriter,
  LeadingQuery,
  Namespace,
  PipelineHost,
  PipelineNamespace,
  QueryEnv,
} from '../../query/env.js';
import type { GeoIndexOn } from '../../query/geo/near.js';
import { compilePipeline } from '../../query/pipeline.js';
import type { View } from '../../storage/collection.js';
import { checkNamespace } from '../../storage/namespace.js';
import { geoIndexesOf } from '../../storage/plan/geo-near.stage.js';
import { planQuery } from '../../storage/plan/planner.js';
import type { QueryPlan } from '../../storage/plan/query-plan.js';
import type { ReadView } from '../../storage/read-view.js';
import type { WriteUnit } from '../../storage/write-unit.js';
import { metadataWriter } from '../crud/match-metadata.js';
import { MAX_BSON_SIZE } from '../handshake/limits.js';
import type { Operation } from '../operation.js';
import { startOf } from '../oplog/oplog.js';
import { isMadeWhenRead, readMade } from '../system/system-collections.js';
import { MergeWriter } from './merge-writer.js';
import { stageSource } from './stage-sources.js';
import { replaceCollection } from './replace-collection.js';

const EMPTY: Doc = new Map();
const MAX_VIEW_DEPTH = 20;

/** What the pipelines of one operation read and write. */
export class OperationPipelineHost implements PipelineHost {
  private viewDepth = 0;
  private mergeWriter: MergeWriter | undefined;

  /** @param unit given to a pipeline that writes: it reads through it, too */
  constructor(
    private readonly op: Operation,
    private readonly view: ReadView,
    private readonly unit?: WriteUnit,
  ) {}

  read(ns: Namespace, query: LeadingQuery = {}, env: QueryEnv = this.plainEnv()): Iterable<Doc | Pause> {
    const entry = this.op.server.storage.catalog.find(ns, this.view);
    if (entry?.kind === 'view') return this.readView(entry, query, env);
    if (isMadeWhenRead(ns)) {
      const made = readMade(this.op.server, ns, { from: startOf(query.filter ?? EMPTY) });
      return compilePipeline(stagesOf(query), env, { namespace: ns }).processAll(made);
    }
    const plan = planQuery(entry, { ...query, filter: query.filter ?? EMPTY }, env);
    return docsOf(plan, this.view, query.sort, env);
  }

  /** A view's documents are those of its pipeline. */
  private *readView(view: View, query: LeadingQuery, env: QueryEnv): Iterable<Doc | Pause> {
    if (++this.viewDepth > MAX_VIEW_DEPTH) {
      throw new CommandError(
        'ViewDepthLimitExceeded',
        `View depth too deep or view cycle detected; maximum depth is ${MAX_VIEW_DEPTH}`,
      );
    }
    const stages: Value[] = [...view.pipeline, ...stagesOf(query)];
    const namespace = { db: view.ns.db, coll: view.viewOn };
    yield* compilePipeline(stages, env, { namespace }).run();
    this.viewDepth--;
  }

  isIndexed(ns: Namespace, field: string): boolean {
    const entry = this.op.server.storage.catalog.find(ns, this.view);
    if (entry?.kind !== 'collection') return false;
    return entry.indexes.list().some(({ spec }) => spec.fields[0] === field && spec.kind === 'btree' && !spec.isHidden);
  }

  geoIndexes(ns: Namespace): GeoIndexOn[] | undefined {
    const entry = this.op.server.storage.catalog.find(ns, this.view);
    return entry?.kind === 'collection' ? geoIndexesOf(entry) : entry && [];
  }

  source(stage: string, spec: Value, namespace: PipelineNamespace): Iterable<Doc> {
    return stageSource(this.op, this.view, stage, spec, namespace);
  }

  replaceCollection(ns: Namespace, docs: Iterable<Doc>): void {
    checkNamespace(ns);
    replaceCollection(this.op, this.writableUnit(), ns, docs);
  }

  writer(ns: Namespace, { collation }: QueryEnv): CollectionWriter {
    checkNamespace(ns);
    return (this.mergeWriter = new MergeWriter(this.op, this.writableUnit(), ns, collation));
  }

  /** What `$merge` could not write, though it wrote the rest. */
  get writeFailure(): CommandError | undefined {
    return this.mergeWriter?.failure;
  }

  private writableUnit(): WriteUnit {
    if (this.unit) return this.unit;
    throw new CommandError('InternalError', 'a pipeline that only reads tried to write');
  }

  private plainEnv(): QueryEnv {
    return { now: this.op.now, host: this };
  }
}

/** The documents of a plan's matches, with the metadata that `$meta` asks for. */
export function* docsOf(plan: QueryPlan, view: ReadView, sort: Doc | undefined, env: QueryEnv): Iterable<Doc | Pause> {
  const { metadata } = env;
  const note = metadata && metadata.wanted.size > 0 ? metadataWriter(metadata, plan, sort, env) : undefined;
  for (const match of plan.runInTurns(view)) {
    if (match === PAUSE) {
      yield PAUSE;
      continue;
    }
    note?.(match);
    yield match.doc;
  }
}

/** A leading query as the stages it was taken from. */
export function stagesOf({ filter, sort, skip, limit }: LeadingQuery): Doc[] {
  const stages: Doc[] = [];
  if (filter) stages.push(new Map([['$match', filter]]));
  if (sort) stages.push(new Map([['$sort', sort]]));
  if (skip) stages.push(new Map([['$skip', skip]]));
  if (limit) stages.push(new Map([['$limit', limit]]));
  return stages;
}

/** @throws CommandError BSONObjectTooLarge for a document that no client could read */
export const encodeAll = function* (docs: Iterable<Doc | Pause>): Generator<Uint8Array | Pause> {
  for (const doc of docs) {
    if (doc === PAUSE) {
      yield PAUSE;
      continue;
    }
    const bytes = encodeDoc(doc);
    if (bytes.length > MAX_BSON_SIZE) {
      throw new CommandError(
        'BSONObjectTooLarge',
        `BSONObj size: ${bytes.length} is invalid. Size must be between 0 and ${MAX_BSON_SIZE}`,
      );
    }
    yield bytes;
  }
};
