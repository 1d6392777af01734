import { unpaused } from '../../bson/pause.js';
import { isDoc, typeName, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { Namespace, QueryEnv } from '../env.js';
import { compileDocExpression } from '../expression.js';
import { parseFieldPath } from '../expression/field-path.js';
import { assertBindable } from '../expression/variable.js';
import type { Pipeline } from '../pipeline/compiled.js';
import { pipelineStages } from '../pipeline/stages.js';
import { targetOf } from '../pipeline/writes.js';
import { withPath } from './document.js';
import { ForeignJoin, joinValues } from './foreign-join.js';
import { docSpec, mapping, type StageContext, type StageDefinition } from './stage.js';

const FIELDS = ['from', 'as', 'localField', 'foreignField', 'let', 'pipeline'];
const STRINGS = ['as', 'localField', 'foreignField'];

const invalid = (message: string): CommandError => new CommandError('FailedToParse', message);

interface LookupSpec {
  readonly from: Namespace | undefined;
  readonly as: readonly string[];
  readonly join: { readonly localField: string; readonly foreignField: string } | undefined;
  readonly variables: Doc;
  readonly stages: readonly Doc[] | undefined;
}

function parse(spec: Value, db: string): LookupSpec {
  const fields = docSpec(
    spec,
    'FailedToParse',
    (type) => `the $lookup stage specification must be an object, but found ${type}`,
  );
  for (const [field, value] of fields) {
    if (!FIELDS.includes(field)) throw invalid(`unknown argument to $lookup: ${field}`);
    if (STRINGS.includes(field) && typeof value !== 'string') {
      throw invalid(`$lookup argument '${field}: ${String(value)}' must be a string, is type ${typeName(value)}`);
    }
  }
  const variables = fields.get('let') ?? new Map<string, Value>();
  if (!isDoc(variables)) {
    throw invalid(`$lookup argument 'let: ${String(variables)}' must be an object, is type ${typeName(variables)}`);
  }
  const stages = fields.has('pipeline') ? pipelineStages(fields.get('pipeline')) : undefined;
  const as = fields.get('as');
  if (typeof as !== 'string') throw invalid("must specify 'as' field for a $lookup");
  const [localField, foreignField] = [fields.get('localField'), fields.get('foreignField')];
  if ((localField === undefined) !== (foreignField === undefined)) {
    throw invalid("$lookup requires both or neither of 'localField' and 'foreignField' to be specified");
  }
  if (localField === undefined && stages === undefined) {
    throw invalid("$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified");
  }
  if (stages === undefined && fields.has('let'))
    throw invalid("$lookup with a 'let' argument must also specify 'pipeline'");
  const join =
    localField === undefined ? undefined : { localField: localField as string, foreignField: foreignField as string };
  return { from: fromOf(fields.get('from'), stages, db), as: parseFieldPath(as), join, variables, stages };
}

function fromOf(from: Value | undefined, stages: readonly Doc[] | undefined, db: string): Namespace | undefined {
  if (from === undefined) {
    if (stages?.[0]?.has('$documents')) return undefined;
    throw invalid("must specify 'pipeline' when 'from' is empty");
  }
  const namespace = targetOf(from, db);
  if (namespace === undefined || (isDoc(from) && namespace.db !== db)) {
    throw invalid(`$lookup argument 'from' must be a string, is type ${typeName(from)}`);
  }
  return namespace;
}

/** The variables of `let`, evaluated for each document and read by the pipeline, with those of the pipelines around it. */
function bindVariables({ variables }: LookupSpec, env: QueryEnv): { env: QueryEnv; bind: (doc: Doc) => void } {
  const bound = new Map<string, Value>(env.variables ?? []);
  const boundExpressions: (() => unknown)[] = [];
  const expressions = [...variables].map(([name, value]) => {
    assertBindable(name);
    return [name, compileDocExpression(value, env)] as const;
  });
  for (const [name] of expressions) bound.set(name, null);
  return {
    env: { ...env, variables: bound, boundExpressions },
    bind(doc) {
      for (const [name, value] of env.variables ?? []) bound.set(name, value);
      for (const [name, expression] of expressions) {
        const value = expression(doc);
        if (value === undefined) bound.delete(name);
        else bound.set(name, value);
      }
      // MongoDB compiles the pipeline anew with these constants: what fails of them fails without any document
      for (const compute of boundExpressions) compute();
    },
  };
}

/** Whether a pipeline gives other documents each time it runs. */
const isRandom = (part: Value): boolean =>
  Array.isArray(part)
    ? part.some(isRandom)
    : isDoc(part) && [...part].some(([name, inner]) => name === '$sample' || name === '$rand' || isRandom(inner));

/** Begins a run of the stage: gives what finds the documents of the other collection for a document. */
function finder(spec: LookupSpec, context: StageContext): () => (doc: Doc) => Doc[] {
  const { from, join, stages } = spec;
  const { env, bind } = bindVariables(spec, context.env);
  const namespace = from ?? { db: context.namespace.db };
  const pipeline: Pipeline | undefined = stages && context.compile(stages, '$lookup', namespace, env);
  if (join === undefined || from === undefined) {
    const isConstant = spec.variables.size === 0 && !isRandom(stages ?? []);
    return () => {
      let constant: Doc[] | undefined; // within a run only: a pipeline around this one may bind other variables for the next
      return (doc) => {
        if (constant) return constant;
        bind(doc);
        const found = [...unpaused((pipeline as Pipeline).run())];
        if (isConstant) constant = found;
        return found;
      };
    };
  }
  const path = parseFieldPath(join.localField);
  parseFieldPath(join.foreignField);
  let foreign: ForeignJoin | undefined;
  const find = (doc: Doc): Doc[] => {
    foreign ??= new ForeignJoin(context, from, join.foreignField);
    const found = foreign.find(joinValues(doc, path));
    if (pipeline === undefined) return [...found];
    bind(doc);
    return [...unpaused(pipeline.processAll(found))];
  };
  return () => find;
}

export const lookupStage: StageDefinition = {
  compile(value, context) {
    const spec = parse(value, context.namespace.db);
    const start = finder(spec, context);
    return (docs) => {
      const find = start();
      return mapping((doc) => withPath(doc, spec.as, find(doc)))(docs);
    };
  },
};
