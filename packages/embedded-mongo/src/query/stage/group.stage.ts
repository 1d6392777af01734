import { PAUSE } from '../../bson/pause.js';
import { type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { compileAccumulator, type Accumulator, type CompiledAccumulator } from '../accumulator.js';
import type { QueryEnv } from '../env.js';
import { compileExpression, scopeOf, type Expression } from '../expression.js';
import { bounded } from '../memory.js';
import { valueKey } from '../value-key.js';
import { docSpec, type Stage, type StageDefinition } from './stage.js';

/** The accumulators of a group's fields, by name. */
export type Accumulators = ReadonlyMap<string, CompiledAccumulator>;

export function compileAccumulators(fields: Iterable<[string, Value]>, env: QueryEnv): Accumulators {
  return new Map(Array.from(fields, ([field, spec]) => [field, compileAccumulator(field, spec, env)]));
}

/** One group while its documents come in. */
export class Group {
  private readonly accumulators: (readonly [field: string, accumulator: Accumulator])[];

  constructor(
    readonly id: Value,
    accumulators: Accumulators,
  ) {
    const scope = scopeOf(id instanceof Map ? id : new Map());
    this.accumulators = Array.from(accumulators, ([field, compiled]) => [field, compiled.start(scope)] as const);
  }

  add(doc: Doc): void {
    const scope = scopeOf(doc);
    for (const [, accumulator] of this.accumulators) accumulator.add(scope);
  }

  result(): Doc {
    const result: Doc = new Map([['_id', this.id]]);
    for (const [field, accumulator] of this.accumulators) result.set(field, accumulator.result() ?? null);
    return bounded(result, '$group');
  }
}

/** Groups documents by an expression; groups come in the order of their first documents. */
export function grouping(id: Expression, accumulators: Accumulators, env: QueryEnv): Stage {
  return function* (docs) {
    const groups = new Map<string, Group>();
    for (const doc of docs) {
      if (doc === PAUSE) {
        yield PAUSE;
        continue;
      }
      const value = id(scopeOf(doc)) ?? null;
      const key = valueKey(value, env.collation);
      let group = groups.get(key);
      if (group === undefined) groups.set(key, (group = new Group(value, accumulators)));
      group.add(doc);
    }
    for (const group of groups.values()) yield group.result();
  };
}

export const groupStage: StageDefinition = {
  compile(spec, { env }) {
    const fields = docSpec(spec, 15947, () => "a group's fields must be specified in an object");
    const accumulators = compileAccumulators(
      [...fields].filter(([field]) => field !== '_id'),
      env,
    );
    const id = fields.get('_id');
    if (id === undefined) throw new CommandError(15955, 'a group specification must include an _id');
    return grouping(compileExpression(id, env), accumulators, env);
  },
};
