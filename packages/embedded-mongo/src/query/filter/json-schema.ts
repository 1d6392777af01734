import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { arrayKeywords } from './json-schema/array.keywords.js';
import type { TimeLeft } from '../javascript/time-limit.js';
import type { Keyword, SchemaCompiler } from './json-schema/keyword.js';
import { logicKeywords } from './json-schema/logic.keywords.js';
import { objectKeywords } from './json-schema/object.keywords.js';
import { failed, type SchemaTest } from './json-schema/operands.js';
import { scalarKeywords } from './json-schema/scalar.keywords.js';
import type { Filter } from './predicate.js';
import { spend } from '../../bson/work.js';

const KEYWORDS: ReadonlyMap<string, Keyword> = new Map<string, Keyword>(
  Object.entries({ ...scalarKeywords, ...objectKeywords, ...arrayKeywords, ...logicKeywords }),
);

const UNSUPPORTED = new Set(['$ref', '$schema', 'default', 'definitions', 'format', 'id']);

/**
 * Compiles a `$jsonSchema`, draft 4 with MongoDB's extension `bsonType` and its omissions.
 *
 * @throws CommandError FailedToParse or TypeMismatch for a schema that is not valid
 * @see https://www.mongodb.com/docs/v7.0/reference/operator/query/jsonSchema/
 */
export function compileJsonSchema(schema: Value, timeLeft: TimeLeft | undefined): Filter {
  if (!isDoc(schema)) throw new CommandError('TypeMismatch', '$jsonSchema must be an object');
  const compile: SchemaCompiler = Object.assign((inner: Doc) => compileSchema(inner, compile), { timeLeft });
  return compile(schema);
}

function compileSchema(schema: Doc, compile: SchemaCompiler): SchemaTest {
  if (schema.has('type') && schema.has('bsonType')) {
    throw failed("Cannot specify both $jsonSchema keywords 'type' and 'bsonType'");
  }
  const tests: SchemaTest[] = [];
  for (const [name, operand] of schema) {
    const keyword = KEYWORDS.get(name);
    if (!keyword) {
      throw failed(
        UNSUPPORTED.has(name)
          ? `$jsonSchema keyword '${name}' is not currently supported`
          : `Unknown $jsonSchema keyword: ${name}`,
      );
    }
    const test = keyword(operand, schema, name, compile);
    if (test) tests.push(test);
  }
  return (value) => {
    spend(1 + tests.length);
    return tests.every((test) => test(value));
  };
}
