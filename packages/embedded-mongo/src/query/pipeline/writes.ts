import { isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { Namespace, PipelineNamespace } from '../env.js';

/** The collection a stage writes to, if it is a valid `$out` or `$merge`. */
export function writeTarget(
  stage: { readonly name: string; readonly spec: Value } | undefined,
  { db }: PipelineNamespace,
): Namespace | undefined {
  if (stage?.name === '$out') return targetOf(stage.spec, db);
  if (stage?.name !== '$merge') return undefined;
  return targetOf(isDoc(stage.spec) ? (stage.spec.get('into') ?? null) : stage.spec, db);
}

/** The databases of the server itself. */
const INTERNAL = ['admin', 'config', 'local'];

/** @throws CommandError for a collection that no pipeline may write: `codes` of a special one and of a database's */
export function checkTarget({ db, coll }: Namespace, verb: string, codes: readonly [number, number]): void {
  if (coll.startsWith('system.')) throw new CommandError(codes[0], `${verb} to special collection: ${coll}`);
  if (INTERNAL.includes(db)) throw new CommandError(codes[1], `${verb} to internal database: ${db}`);
}

/** `'coll'` in the pipeline's own database, or `{ db, coll }`. */
export function targetOf(value: Value, db: string): Namespace | undefined {
  if (typeof value === 'string') return { db, coll: value };
  if (!isDoc(value)) return undefined;
  const [otherDb, coll] = [value.get('db') ?? db, value.get('coll')];
  return typeof otherDb === 'string' && typeof coll === 'string' ? { db: otherDb, coll } : undefined;
}

/** The collection that a pipeline, not compiled yet, writes to; undefined when it only reads. */
export function pipelineWrites(stages: readonly Value[], namespace: PipelineNamespace): Namespace | undefined {
  const last = stages.at(-1);
  const [entry] = isDoc(last) ? last : [];
  return entry && writeTarget({ name: entry[0], spec: entry[1] }, namespace);
}
