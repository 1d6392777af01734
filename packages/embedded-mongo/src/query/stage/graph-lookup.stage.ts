import { visitPath } from '../../bson/path.js';
import { isNumeric, toExactInt64, toNumber } from '../../bson/number.js';
import { isDoc, typeName, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { Namespace } from '../env.js';
import { compileDocExpression } from '../expression.js';
import { parseFieldPath } from '../expression/field-path.js';
import { ValueSet } from '../expression/value-set.js';
import { compileFilter } from '../filter.js';
import { valueKey } from '../value-key.js';
import { withPath } from './document.js';
import { ForeignJoin } from './foreign-join.js';
import { docSpec, mapping, type StageContext, type StageDefinition } from './stage.js';
import { checkInterrupt } from '../../bson/work.js';

const REQUIRED = ['from', 'as', 'startWith', 'connectFromField', 'connectToField'] as const;
const STRINGS = ['from', 'as', 'connectFromField', 'connectToField', 'depthField'];

interface GraphSpec {
  readonly from: Namespace;
  readonly as: readonly string[];
  readonly startWith: (doc: Doc) => Value | undefined;
  readonly connectFrom: readonly string[];
  readonly connectTo: string;
  readonly depthField: readonly string[] | undefined;
  readonly maxDepth: number;
  readonly restriction: Doc | undefined;
}

function parse(value: Value, { env, namespace }: StageContext): GraphSpec {
  const fields = docSpec(
    value,
    'FailedToParse',
    (type) => `the $graphLookup stage specification must be an object, but found ${type}`,
  );
  for (const [field, argument] of fields) {
    if (field === 'from' && typeof argument !== 'string') {
      throw new CommandError(
        'FailedToParse',
        `$graphLookup argument 'from' must be a string, is type ${typeName(argument)}`,
      );
    }
    if (STRINGS.includes(field) && typeof argument !== 'string') {
      throw new CommandError(40103, `expected string as argument for ${field}, found: ${typeName(argument)}`);
    }
    if (![...STRINGS, 'startWith', 'maxDepth', 'restrictSearchWithMatch'].includes(field)) {
      throw new CommandError(40104, `Unknown argument to $graphLookup: ${field}`);
    }
  }
  const maxDepth = depthOf(fields.get('maxDepth'));
  const restriction = fields.get('restrictSearchWithMatch');
  if (restriction !== undefined && !isDoc(restriction)) {
    throw new CommandError(40185, `restrictSearchWithMatch must be an object, found ${typeName(restriction)}`);
  }
  if (restriction) compileFilter(restriction, env);
  if (!REQUIRED.every((field) => fields.has(field))) {
    throw new CommandError(
      40105,
      "$graphLookup requires 'from', 'as', 'startWith', 'connectFromField', and 'connectToField' to be specified.",
    );
  }
  const text = (field: string): string => fields.get(field) as string;
  return {
    from: { db: namespace.db, coll: text('from') },
    as: parseFieldPath(text('as')),
    startWith: compileDocExpression(fields.get('startWith') as Value, env),
    connectFrom: parseFieldPath(text('connectFromField')),
    connectTo: parseFieldPath(text('connectToField')).join('.'),
    depthField: fields.has('depthField') ? parseFieldPath(text('depthField')) : undefined,
    maxDepth,
    restriction,
  };
}

function depthOf(value: Value | undefined): number {
  if (value === undefined) return Infinity;
  if (!isNumeric(value)) throw new CommandError(40100, `maxDepth must be numeric, found type: ${typeName(value)}`);
  if (toNumber(value) < 0) {
    throw new CommandError(40101, `maxDepth requires a nonnegative argument, found: ${toNumber(value)}`);
  }
  const depth = toExactInt64(value);
  if (depth === undefined) {
    throw new CommandError(40102, `maxDepth could not be represented as a long long: ${toNumber(value)}`);
  }
  return Number(depth);
}

/** Searches breadth first; a document is found once, at its least depth. */
function search(spec: GraphSpec, start: Value | undefined, join: ForeignJoin, context: StageContext): Doc[] {
  const { collation } = context.env;
  const found = new Map<string, Doc>();
  const asked = new ValueSet(collation);
  let frontier = (Array.isArray(start) ? start : start === undefined ? [] : [start]).filter((value) =>
    asked.add(value),
  );
  for (let depth = 0; frontier.length > 0 && depth <= spec.maxDepth; depth++) {
    const next: Value[] = [];
    for (const doc of join.find(frontier)) {
      checkInterrupt();
      const key = valueKey(doc.get('_id'));
      if (found.has(key) || !hasField(doc, spec.connectTo)) continue;
      found.set(key, spec.depthField ? withPath(doc, spec.depthField, BigInt(depth)) : doc);
      visitPath(doc, spec.connectFrom, 'elements', (value) => {
        if (value !== undefined && asked.add(value)) next.push(value);
        return false;
      });
    }
    frontier = next;
  }
  return [...found.values()];
}

/** A null in the frontier must not find documents without the field. */
const hasField = (doc: Doc, path: string): boolean =>
  visitPath(doc, path.split('.'), 'elementsAndArray', (value) => value !== undefined);

export const graphLookupStage: StageDefinition = {
  compile(value, context) {
    const spec = parse(value, context);
    let join: ForeignJoin | undefined;
    return mapping((doc) => {
      join ??= new ForeignJoin(context, spec.from, spec.connectTo, spec.restriction);
      return withPath(doc, spec.as, search(spec, spec.startWith(doc), join, context));
    });
  },
};
