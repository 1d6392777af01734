import { unpaused } from '../../bson/pause.js';
import { docOf, type Doc, type Value } from '../../bson/value.js';
import { getPath } from '../../bson/path.js';
import { CommandError } from '../../errors.js';
import { compileDocExpression } from '../expression.js';
import { isNullish } from '../expression/operand.js';
import { assertBindable } from '../expression/variable.js';
import { inUpdateOrder } from '../update/tree.js';
import type { CollectionWriter } from '../env.js';
import { parseMerge, type MergeSpec } from './merge-spec.js';
import { withId } from './out.stage.js';
import type { StageContext, StageDefinition } from './stage.js';

/** Gives the document that takes the place of an existing one; undefined when that stays. */
type Merging = (existing: Doc, incoming: Doc) => Doc | undefined;

const MERGING: Readonly<Record<string, Merging>> = {
  replace: (existing, incoming) => sameId(existing, incoming),
  merge: (existing, incoming) => new Map([...existing, ...asSet(sameId(existing, incoming))]),
  keepExisting: () => undefined,
};

/** The fields in the order in which the `$set` or `$setOnInsert` makes them that MongoDB merges with. */
const asSet = (doc: Doc): Doc => new Map([...doc].sort(([a], [b]) => inUpdateOrder(a, b)));

/** A document that is joined on other fields than `_id` must not change that of the one it replaces. */
function sameId(existing: Doc, incoming: Doc): Doc {
  const id = existing.get('_id');
  if (!incoming.has('_id') && id !== undefined) return new Map([['_id', id], ...incoming]);
  return incoming;
}

/** Updates by a pipeline, which sees the new document as `$$new`. */
function updating(stages: readonly Doc[], variables: Doc | undefined, { env, compileUpdate }: StageContext): Merging {
  const bound = new Map<string, Value>(env.variables ?? []);
  const expressions = [...docOf(['new', '$$ROOT']), ...(variables ?? [])].map(([name, value]) => {
    if (name !== 'new') assertBindable(name);
    return [name, compileDocExpression(value, env)] as const;
  });
  for (const [name] of expressions) bound.set(name, null);
  const update = compileUpdate(stages, { ...env, variables: bound });
  return (existing, incoming) => {
    for (const [name, expression] of expressions) bound.set(name, expression(incoming) ?? null);
    return sameId(existing, update(existing));
  };
}

/** The filter for the document that an incoming one is joined with. */
function joinFilter(doc: Doc, on: readonly string[]): Doc {
  return docOf(
    ...on.map((field): [string, Value] => {
      const value = getPath(doc, field.split('.'));
      if (isNullish(value) && field !== '_id') {
        throw new CommandError(
          51132,
          `$merge write error: 'on' field '${field}' cannot be missing, null, undefined or an array`,
        );
      }
      if (Array.isArray(value)) {
        throw new CommandError(
          51185,
          `$merge write error: 'on' field '${field}' cannot be missing, null, undefined or an array`,
        );
      }
      return [field, docOf(['$eq', value ?? null])];
    }),
  );
}

function mergeOne(doc: Doc, spec: MergeSpec, merging: Merging | undefined, writer: CollectionWriter): void {
  if (merging === undefined) return writer.attempt(() => writer.insert(withId(doc)));
  const on = spec.on ?? ['_id'];
  const identified = on.includes('_id') ? withId(doc) : doc;
  const filter = joinFilter(identified, on);
  writer.attempt(() => {
    const existing = writer.find(filter);
    if (existing !== undefined) {
      const merged = merging(existing, identified);
      if (merged !== undefined) writer.replace(existing, merged);
    } else if (spec.whenNotMatched === 'insert') {
      const isSet = spec.whenMatched === 'merge' || spec.whenMatched === 'keepExisting';
      writer.insert(withId(isSet ? asSet(identified) : identified));
    } else if (spec.whenNotMatched === 'fail') {
      throw new CommandError(
        13113,
        '$merge could not find a matching document in the target collection for at least one document in the source collection',
      );
    }
  });
}

export const mergeStage: StageDefinition = {
  position: 'last',
  forbiddenIn: ['$facet', '$lookup', '$unionWith', 'view', 'transaction'],
  compile(value, context) {
    const spec = parseMerge(value, context.namespace.db);
    const { whenMatched } = spec;
    const merging =
      typeof whenMatched === 'string' ? MERGING[whenMatched] : updating(whenMatched, spec.variables, context);
    const mergeAll = function* (docs: Iterable<Doc>, writer: CollectionWriter): Iterable<Doc> {
      for (const doc of docs) mergeOne(doc, spec, merging, writer);
      yield* [];
    };
    return (docs) => {
      const writer = context.host.writer(spec.into, context.env);
      if (spec.on && !writer.hasUniqueIndex(spec.on)) {
        throw new CommandError(51183, 'Cannot find index to verify that join fields will be unique');
      }
      return mergeAll(unpaused(docs), writer);
    };
  },
};
