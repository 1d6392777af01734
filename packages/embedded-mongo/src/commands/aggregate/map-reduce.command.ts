import { compareValues } from '../../bson/compare.js';
import { docOf, isDoc, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { QueryEnv } from '../../query/env.js';
import { codeOf, ScriptContext, type ScriptFunction } from '../../query/javascript/script.js';
import { valueKey } from '../../query/value-key.js';
import type { Namespace } from '../../storage/namespace.js';
import { planQuery } from '../../storage/plan/planner.js';
import type { ReadView } from '../../storage/read-view.js';
import type { WriteUnit } from '../../storage/write-unit.js';
import { countArgument, docArgument, stringArgument } from '../arguments.js';
import type { Command } from '../command.js';
import { namespaceOf } from '../crud/namespace-argument.js';
import { queryEnv } from '../crud/query-env.js';
import { openReadView } from '../crud/read-view.js';
import { runWrite } from '../crud/write.js';
import type { Operation } from '../operation.js';
import { reply, type ReplyDoc } from '../reply.js';
import { MergeWriter } from './merge-writer.js';
import { replaceCollection } from './replace-collection.js';
import { checkInterrupt } from '../../bson/work.js';

/** Map-reduce (manual: mapReduce; deprecated since 5.0 in favour of aggregation). */
export const mapReduce: Command = {
  name: 'mapReduce',
  aliases: ['mapreduce'],
  takesReadConcern: true,
  takesWriteConcern: true,
  args: {
    mapReduce: 'any',
    mapreduce: 'any',
    map: 'any!',
    reduce: 'any!',
    finalize: 'any',
    out: 'any!',
    query: 'object',
    sort: 'object',
    limit: 'number',
    scope: 'object',
    collation: 'object',
    verbose: 'any',
    jsMode: 'any',
    bypassDocumentValidation: 'safeBool',
  },
  run(op) {
    const output = outputOf(op);
    const job = new MapReduceJob(op);
    if (!output) {
      const { view } = openReadView(op);
      const results = job.run(view);
      return reply({ results });
    }
    const written = runWrite(op, (unit) => writeResults(op, unit, output, job));
    const answer = (): ReplyDoc => reply({ result: output.ns.coll });
    return written instanceof Promise ? written.then(answer) : answer();
  },
};

interface Output {
  readonly mode: 'replace' | 'merge' | 'reduce';
  readonly ns: Namespace;
}

/** Where the results go; undefined for `{ inline: 1 }`. @throws CommandError */
function outputOf({ args, db }: Operation): Output | undefined {
  const out = args.get('out');
  if (typeof out === 'string') return { mode: 'replace', ns: { db, coll: out } };
  if (!isDoc(out)) {
    throw new CommandError('BadValue', "'out' must be either a string or an object");
  }
  if (out.has('inline')) return undefined;
  const mode = (['replace', 'merge', 'reduce'] as const).find((name) => out.has(name));
  if (!mode) throw new CommandError('BadValue', "'out' requires 'inline', 'replace', 'merge' or 'reduce'");
  return { mode, ns: { db: stringArgument(out, 'db') ?? db, coll: stringArgument(out, mode)! } };
}

function writeResults(op: Operation, unit: WriteUnit, { mode, ns }: Output, job: MapReduceJob): void {
  const results = job.run(unit);
  if (mode === 'replace') return replaceCollection(op, unit, ns, results);
  const writer = new MergeWriter(op, unit, ns, undefined);
  for (const result of results) {
    const existing = writer.find(docOf(['_id', docOf(['$eq', result.get('_id')!])]));
    if (!existing) writer.insert(result);
    else writer.replace(existing, mode === 'merge' ? result : job.combine(existing, result));
  }
}

/** The values emitted for one key. */
interface Emitted {
  readonly key: Value;
  readonly values: Value[];
}

class MapReduceJob {
  private readonly env: QueryEnv;
  private readonly scripts: ScriptContext;
  private readonly map: ScriptFunction;
  private readonly reduce: ScriptFunction;
  private readonly finalize: ScriptFunction | undefined;
  private emitted = new Map<string, Emitted>();

  constructor(private readonly op: Operation) {
    const { args } = op;
    this.env = queryEnv(op, { collation: docArgument(args, 'collation') });
    this.scripts = new ScriptContext({
      globals: docArgument(args, 'scope'),
      onEmit: (key, value) => this.emit(key, value),
    });
    this.map = this.functionOf('map')!;
    this.reduce = this.functionOf('reduce')!;
    this.finalize = this.functionOf('finalize');
  }

  /** The results, in the order of their keys. */
  run(view: ReadView): Doc[] {
    const { args, server } = this.op;
    this.emitted = new Map();
    const collection = server.storage.catalog.collection(namespaceOf(this.op), view);
    const request = {
      filter: docArgument(args, 'query') ?? new Map<string, Value>(),
      sort: docArgument(args, 'sort'),
      limit: countArgument(args, 'limit'),
    };
    for (const { doc } of planQuery(collection, request, this.env).run(view)) {
      checkInterrupt();
      this.map(doc, []);
    }
    return [...this.emitted.values()]
      .sort((a, b) => compareValues(a.key, b.key, this.env.collation))
      .map(({ key, values }) => this.result(key, values));
  }

  /** The result of two of the same key. */
  combine(existing: Doc, result: Doc): Doc {
    return this.result(result.get('_id')!, [existing.get('value') ?? null, result.get('value') ?? null]);
  }

  private emit(key: Value, value: Value): void {
    const place = valueKey(key, this.env.collation);
    const known = this.emitted.get(place);
    if (known) known.values.push(value);
    else this.emitted.set(place, { key, values: [value] });
  }

  private result(key: Value, values: Value[]): Doc {
    const [only] = values;
    const reduced = values.length === 1 ? only : this.reduce(undefined, [key, values]);
    const value = this.finalize ? this.finalize(undefined, [key, reduced]) : reduced;
    return docOf(['_id', key], ['value', value ?? null]);
  }

  private functionOf(field: string): ScriptFunction | undefined {
    const value = this.op.args.get(field);
    if (value === undefined || value === null) return undefined;
    const code = codeOf(value);
    if (code === undefined) throw new CommandError('TypeMismatch', `'${field}' must be of string or code type`);
    return this.scripts.compile(code, this.env.timeLeft);
  }
}
