import { BSONRegExp, Code } from 'bson';
import { splitPath } from '../bson/path.js';
import { isNumeric, toNumber } from '../bson/number.js';
import { BsonUndefined, type Doc, isDoc, type Value } from '../bson/value.js';
import { CommandError } from '../errors.js';
import type { QueryEnv } from './env.js';
import { compileDocExpression } from './expression.js';
import type { ElementCompiler } from './filter/array.js';
import { equality } from './filter/comparison.js';
import { isTruthy } from './expression/operand.js';
import { parseInteger } from './filter/integer.js';
import { inMatchOrder } from './filter/match-order.js';
import { compileJsonSchema } from './filter/json-schema.js';
import { compileOperators, isFieldOperator } from './filter/operators.js';
import { codeOf, ScriptContext } from './javascript/script.js';
import { allOf, anyOf, type Filter, onPath } from './filter/predicate.js';
import { compileRegExp } from './filter/regex.js';
import { checkInterrupt, spend } from '../bson/work.js';

export type { Filter, MatchDetails } from './filter/predicate.js';

/**
 * Compiles a query filter.
 *
 * The function it returns tells whether a document matches; given `details` it also leaves there which array element
 * matched, for the positional `$` operator.
 *
 * @throws CommandError BadValue and others, as MongoDB does, for a filter that is not valid
 * @see https://www.mongodb.com/docs/v7.0/reference/operator/query/
 */
export const compileFilter = (filter: Doc, env: QueryEnv): Filter => new FilterCompiler(env, false).compile(filter);

/** A filter that is asked which array element matched: its conditions are gone through in MongoDB's order. */
export const compilePositionalFilter = (filter: Doc, env: QueryEnv): Filter =>
  compileFilter(inMatchOrder(filter, isOperatorDoc), env);

/** `{ $ref, $id }` is a reference, a value and not operators. */
const isReference = (doc: Doc): boolean => doc.has('$ref') && doc.has('$id');

/** Whether a field's condition is made of operators, rather than a document to be equal to. */
export function isOperatorDoc(value: Value | undefined): value is Doc {
  if (!isDoc(value)) return false;
  const first = value.keys().next().value as string | undefined;
  return first !== undefined && first.startsWith('$') && !isReference(value);
}

type DocumentOperator = (compiler: FilterCompiler, operand: Value, name: string) => Filter | undefined;

class FilterCompiler {
  private readonly elements: ElementCompiler;

  constructor(
    readonly env: QueryEnv,
    /** Whether the documents are elements of an array, under `$elemMatch`. */
    readonly isNested: boolean,
  ) {
    this.elements = {
      filter: (filter) => new FilterCompiler(env, true).compile(filter),
      operators: (operators) => compileOperators('', operators, env.collation, this.elements),
      isDocumentOperator: (name) => DOCUMENT_OPERATORS.has(name),
      isFieldOperator,
      timeLeft: env.timeLeft,
    };
  }

  compile(filter: Doc): Filter {
    const filters: Filter[] = [];
    for (const [name, condition] of filter) {
      const compiled = name.startsWith('$') ? this.documentOperator(name, condition) : this.field(name, condition);
      if (compiled) filters.push(compiled);
    }
    return allOf(filters);
  }

  private documentOperator(name: string, operand: Value): Filter | undefined {
    const operator = DOCUMENT_OPERATORS.get(name);
    if (operator) return operator(this, operand, name);
    throw new CommandError(
      'BadValue',
      `unknown top level operator: ${name}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.`,
    );
  }

  private field(name: string, condition: Value): Filter {
    const path = splitPath(name);
    if (isOperatorDoc(condition)) {
      return onPath(path, compileOperators(name, condition, this.env.collation, this.elements));
    }
    if (condition instanceof BSONRegExp)
      return onPath(path, anyOf(compileRegExp(condition.pattern, condition.options, this.env.timeLeft)));
    if (condition instanceof BsonUndefined) throw new CommandError('BadValue', 'cannot compare to undefined');
    return onPath(path, anyOf(equality(condition, this.env.collation)));
  }
}

function filtersOf(compiler: FilterCompiler, operand: Value, name: string): Filter[] {
  if (!Array.isArray(operand)) throw new CommandError('BadValue', `${name} must be an array`);
  if (operand.length === 0) throw new CommandError('BadValue', '$and/$or/$nor must be a nonempty array');
  return operand.map((entry) => {
    if (!isDoc(entry)) throw new CommandError('BadValue', '$or/$and/$nor entries need to be full objects');
    return compiler.compile(entry);
  });
}

function or(filters: readonly Filter[], tellsPosition: boolean): Filter {
  const [only] = filters;
  if (only && filters.length === 1) return only;
  return (doc, details) => {
    spend(filters.length);
    for (const filter of filters) if (filter(doc, tellsPosition ? details : undefined)) return true;
    return false;
  };
}

/** Alternatives tell which array element matched only when all are of one field, as then `$or` is an `$in`. */
function asksOneField(operand: Value): boolean {
  const names = (operand as Doc[]).map((branch) => (branch.size === 1 ? branch.keys().next().value : undefined));
  return names[0] !== undefined && !names[0].startsWith('$') && names.every((name) => name === names[0]);
}

function expression(compiler: FilterCompiler, operand: Value): Filter {
  if (compiler.isNested) throw new CommandError('BadValue', '$expr can only be applied to the top-level document');
  const evaluate = compileDocExpression(operand, compiler.env);
  return (doc) => isTruthy(evaluate(doc));
}

/** The search's score is what `$meta: "textScore"` reads. */
function text({ env: { textSearch, metadata } }: FilterCompiler, operand: Value): Filter {
  if (!textSearch) throw new CommandError('IndexNotFound', 'text index required for $text query');
  const query = textSearch(operand);
  return (doc) => {
    const score = query.scoreOf(doc);
    if (score !== undefined) metadata?.set(doc, 'textScore', score);
    return score !== undefined;
  };
}

/** A function, or an expression, of the document: its `this` and `obj`. */
function where({ env, isNested }: FilterCompiler, operand: Value): Filter {
  if (isNested) throw new CommandError('BadValue', '$where can only be applied to the top-level document');
  if (!env.allowsWhere) throw new CommandError('BadValue', '$where is not allowed in this context');
  if (operand instanceof Code && operand.scope) {
    throw new CommandError('BadValue', '$where no longer supports deprecated BSON type CodeWScope');
  }
  const code = codeOf(operand);
  if (code === undefined) throw new CommandError('BadValue', '$where got bad type');
  const holds = new ScriptContext({ selfName: 'obj' }).compile(code, env.timeLeft);
  return (doc) => {
    const result = holds(doc, []);
    checkInterrupt(); // the call itself may have taken all the time there was
    return result !== undefined && isTruthy(result) && result !== '' && !Number.isNaN(result);
  };
}

function always(result: boolean): DocumentOperator {
  return (_compiler, operand, name) => {
    if (parseInteger(name, operand) !== 1n)
      throw new CommandError('FailedToParse', `${name} must be an integer value of 1`);
    return () => result;
  };
}

function sampleRate(operand: Value): Filter {
  if (!isNumeric(operand)) throw new CommandError('BadValue', 'argument to $sampleRate must be a numeric type');
  const rate = toNumber(operand);
  if (!(rate >= 0 && rate <= 1))
    throw new CommandError('BadValue', 'numeric argument to $sampleRate must be in [0, 1]');
  return () => Math.random() < rate;
}

const reference: DocumentOperator = (compiler, operand, name) =>
  onPath([name], anyOf(equality(operand, name === '$id' ? compiler.env.collation : undefined)));

/** The operators that stand at a filter's top, by name; `undefined` for those that demand nothing. */
const DOCUMENT_OPERATORS: ReadonlyMap<string, DocumentOperator> = new Map<string, DocumentOperator>([
  ['$and', (compiler, operand, name) => allOf(filtersOf(compiler, operand, name))],
  ['$or', (compiler, operand, name) => or(filtersOf(compiler, operand, name), asksOneField(operand))],
  [
    '$nor',
    (compiler, operand, name) => {
      const any = or(filtersOf(compiler, operand, name), false);
      return (doc) => !any(doc);
    },
  ],
  ['$comment', () => undefined],
  ['$expr', expression],
  ['$jsonSchema', ({ env }, operand) => compileJsonSchema(operand, env.timeLeft)],
  ['$alwaysTrue', always(true)],
  ['$alwaysFalse', always(false)],
  ['$sampleRate', (_compiler, operand) => sampleRate(operand)],
  ['$ref', reference],
  ['$id', reference],
  ['$db', reference],
  ['$text', text],
  ['$where', where],
]);
