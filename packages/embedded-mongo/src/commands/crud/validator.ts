import { CommandError, isInterruption } from '../../errors.js';
import { decodeDoc } from '../../bson/decode.js';
import type { Doc, Value } from '../../bson/value.js';
import { isDoc } from '../../bson/value.js';
import { plainEnv, type QueryEnv } from '../../query/env.js';
import type { Filter } from '../../query/filter.js';
import { ConstantError } from '../../query/expression/operator.js';
import { compileFilter } from '../../query/filter.js';
import type { Collection } from '../../storage/collection.js';
import { fieldsOf } from '../reply.js';
import { docArgument } from '../arguments.js';

const compiled = new WeakMap<Doc, Validator | 'none'>();

/** A collection's validator; undefined when it has none, or only warns. */
export function validatorOf(collection: Collection): Validator | undefined {
  const { options } = collection;
  let known = compiled.get(options);
  if (!known) compiled.set(options, (known = compileValidator(collection) ?? 'none'));
  return known === 'none' ? undefined : known;
}

function compileValidator({ options, collation }: Collection): Validator | undefined {
  const filter = docArgument(options, 'validator');
  const level = options.get('validationLevel');
  if (!filter || level === 'off' || options.get('validationAction') === 'warn') return undefined;
  return new Validator(filter, level === 'moderate', { ...plainEnv(), ...(collation && { collation }) });
}

/** What inserts and updates have to satisfy (manual: Schema Validation). */
export class Validator {
  private readonly matches: Filter;

  constructor(
    private readonly filter: Doc,
    /** Documents that were invalid before an update may stay so. */
    private readonly isModerate: boolean,
    env: QueryEnv,
  ) {
    this.matches = compiledOrFailing(filter, env);
  }

  /**
   * @param before what an update replaces
   * @throws CommandError DocumentValidationFailure (121)
   */
  check(bytes: Uint8Array, before?: Uint8Array): void {
    const doc = decodeDoc(bytes);
    if (this.isSatisfiedBy(doc)) return;
    if (this.isModerate && before && !this.isSatisfiedBy(decodeDoc(before))) return;
    throw new CommandError('DocumentValidationFailure', 'Document failed validation', {
      errInfo: fieldsOf({ failingDocumentId: doc.get('_id'), details: this.details(doc) }),
    });
  }

  /** A rule that fails with an error is not satisfied. */
  private isSatisfiedBy(doc: Doc): boolean {
    try {
      return this.matches(doc);
    } catch (error) {
      if (error instanceof CommandError && !isInterruption(error)) return false;
      throw error;
    }
  }

  private details(doc: Doc): Doc {
    const schema = this.filter.get('$jsonSchema');
    if (isDoc(schema)) {
      return fieldsOf({ operatorName: '$jsonSchema', schemaRulesNotSatisfied: brokenRules(schema, doc) });
    }
    const [first] = this.filter;
    const [field, condition] = first ?? ['', null];
    return fieldsOf({
      operatorName: isDoc(condition) ? ([...condition.keys()][0] ?? '$eq') : '$eq',
      specifiedAs: fieldsOf({ [field]: condition }),
      reason: doc.has(field) ? 'comparison failed' : 'field was missing',
      consideredValue: doc.get(field),
    });
  }
}

/** Constants that cannot be computed are no error of the validator, which no document satisfies then. */
function compiledOrFailing(filter: Doc, env: QueryEnv): Filter {
  try {
    return compileFilter(filter, env);
  } catch (error) {
    if (error instanceof ConstantError) return () => false;
    throw error;
  }
}

/** Keywords that only mean something beside others, which say whether it is satisfied. */
const COMPANIONS: Readonly<Record<string, readonly string[]>> = {
  minimum: ['exclusiveMinimum'],
  maximum: ['exclusiveMaximum'],
  additionalItems: ['items'],
  additionalProperties: ['properties', 'patternProperties'],
};
const ONLY_COMPANIONS = ['exclusiveMinimum', 'exclusiveMaximum', 'title', 'description'];

/** A schema of one rule, with what it needs of those around it. */
function ruleOf(schema: Doc, name: string): Doc {
  const kept = [name, ...(COMPANIONS[name] ?? [])].filter((keyword) => schema.has(keyword));
  return new Map(kept.map((keyword) => [keyword, schema.get(keyword)!]));
}

/** The rules of a schema's top that the document breaks, each checked by itself. */
function brokenRules(schema: Doc, doc: Doc): Doc[] {
  const rules: Doc[] = [];
  for (const [operatorName, specified] of schema) {
    if (ONLY_COMPANIONS.includes(operatorName)) continue;
    const alone = fieldsOf({ $jsonSchema: ruleOf(schema, operatorName) });
    if (compileFilter(alone, plainEnv())(doc)) continue;
    rules.push(brokenRule(operatorName, specified as Doc, doc));
  }
  return rules;
}

function brokenRule(operatorName: string, specified: Doc, doc: Doc): Doc {
  const specifiedAs = fieldsOf({ [operatorName]: specified });
  if (operatorName === 'required' && Array.isArray(specified)) {
    const missing = specified.filter((field) => typeof field === 'string' && !doc.has(field));
    return fieldsOf({ operatorName, specifiedAs, missingProperties: missing });
  }
  if (operatorName === 'properties') {
    const broken = [...specified]
      .filter(([field, rule]) => {
        const alone = fieldsOf({ $jsonSchema: fieldsOf({ properties: fieldsOf({ [field]: rule }) }) });
        return !compileFilter(alone, plainEnv())(doc);
      })
      .map(([field, rule]) => {
        const description = isDoc(rule) ? rule.get('description') : undefined;
        const details = isDoc(rule) ? propertyDetails(rule, doc.get(field)) : [];
        return fieldsOf({ propertyName: field, description, details });
      });
    return fieldsOf({ operatorName, propertiesNotSatisfied: broken });
  }
  return fieldsOf({ operatorName, specifiedAs, reason: 'rule not satisfied' });
}

function propertyDetails(rule: Doc, value: Value | undefined): Doc[] {
  const isBroken = (name: string): boolean => {
    const property = fieldsOf({ properties: fieldsOf({ v: ruleOf(rule, name) }) });
    return !compileFilter(fieldsOf({ $jsonSchema: property }), plainEnv())(fieldsOf({ v: value }));
  };
  return [...rule]
    .filter(([name]) => !ONLY_COMPANIONS.includes(name) && isBroken(name))
    .map(([operatorName, specified]) =>
      fieldsOf({
        operatorName,
        specifiedAs: fieldsOf({ [operatorName]: specified }),
        reason: operatorName === 'bsonType' || operatorName === 'type' ? 'type did not match' : 'comparison failed',
        consideredValue: value,
      }),
    );
}

/** What may not be a validator. @throws CommandError */
export function checkValidator(filter: Doc): void {
  const forbidden = ['$near', '$nearSphere', '$text', '$where'];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    if (!isDoc(value)) return;
    for (const [name, inner] of value) {
      if (forbidden.includes(name)) {
        throw new CommandError('QueryFeatureNotAllowed', `${name} is not allowed in this context`);
      }
      walk(inner);
    }
  };
  walk(filter);
  compiledOrFailing(filter, plainEnv());
}
