import { type Doc, type Value } from '../../src/bson/value.js';
import { compareValues, equalValues } from '../../src/bson/compare.js';
import { CommandError } from '../../src/errors.js';
import {
  type CollectionWriter,
  type LeadingQuery,
  type Namespace,
  type PipelineHost,
  plainEnv,
  type QueryEnv,
} from '../../src/query/env.js';
import { compileFilter } from '../../src/query/filter.js';
import type { GeoIndexOn } from '../../src/query/geo/near.js';
import { compilePipeline, type PipelineOptions } from '../../src/query/pipeline.js';
import { sortDocs, sortOrder } from '../../src/query/sort.js';
import { doc, show, value } from './bson-values.js';

/** Collections in memory, as pipelines see storage. `indexed` has the fields that are said to have an index. */
export class MemoryHost implements PipelineHost {
  readonly collections = new Map<string, Doc[]>();
  readonly reads: LeadingQuery[] = [];
  readonly indexed = new Set<string>();
  readonly geo: GeoIndexOn[] = [];
  readonly unique = new Set<string>();

  constructor(collections: Readonly<Record<string, readonly object[]>> = {}) {
    for (const [name, docs] of Object.entries(collections)) this.collections.set(`db.${name}`, docs.map(doc));
  }

  docsOf({ db, coll }: Namespace): Doc[] {
    return this.collections.get(`${db}.${coll}`) ?? [];
  }

  read(namespace: Namespace, query: LeadingQuery = {}, env: QueryEnv = plainEnv()): Iterable<Doc> {
    this.reads.push(query);
    const isWanted = query.filter ? compileFilter(query.filter, env) : () => true;
    const found = this.docsOf(namespace).filter((item) => isWanted(item));
    const sorted = query.sort ? sortDocs(found, sortOrder(query.sort, env)) : found;
    const skip = query.skip ?? 0;
    return sorted.slice(skip, query.limit === undefined ? undefined : skip + query.limit);
  }

  geoIndexes(): GeoIndexOn[] {
    return this.geo;
  }

  isIndexed(_: Namespace, field: string): boolean {
    return this.indexed.has(field);
  }

  source(stage: string): Iterable<Doc> {
    return [doc({ source: stage })];
  }

  replaceCollection({ db, coll }: Namespace, docs: Iterable<Doc>): void {
    this.collections.set(`${db}.${coll}`, [...docs]);
  }

  writer(namespace: Namespace): CollectionWriter {
    const docs = this.docsOf(namespace);
    this.collections.set(`${namespace.db}.${namespace.coll}`, docs);
    const id = (item: Doc): Value => item.get('_id') as Value;
    return {
      find: (filter) => docs.find((item) => compileFilter(filter, plainEnv())(item)),
      insert(item) {
        if (docs.some((other) => equalValues(id(other), id(item)))) throw new CommandError('DuplicateKey', 'E11000');
        docs.push(item);
        docs.sort((a, b) => compareValues(id(a), id(b)));
      },
      replace: (existing, replacement) => docs.splice(docs.indexOf(existing), 1, replacement),
      attempt: (write) => write(),
      hasUniqueIndex: (fields) => this.unique.has(fields.join()),
    };
  }
}

/** Runs a pipeline on the collection `db.c`; the documents it gives, as text that tells their types. */
export function aggregate(
  stages: readonly object[],
  docs: readonly object[] | MemoryHost = [],
  options: Partial<PipelineOptions> & { readonly env?: Partial<QueryEnv> } = {},
): string[] {
  const host = docs instanceof MemoryHost ? docs : new MemoryHost({ c: docs });
  const env = { ...plainEnv(), host, ...options.env };
  const pipeline = compilePipeline(stages.map(value), env, { namespace: { db: 'db', coll: 'c' }, ...options });
  return Array.from(pipeline.run(), show);
}
