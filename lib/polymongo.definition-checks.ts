import { describeValue } from './polymongo.checks.js';
import { PolyMongoOptionsError } from './polymongo.errors.js';

/** What a definition has to be given the schema by: `forFeature` the schema itself, `forFeatureAsync` a factory. */
export type SchemaSource = 'schema' | 'useFactory';

const METHODS = { schema: 'forFeature', useFactory: 'forFeatureAsync' } as const;

/** @throws PolyMongoOptionsError that names the definition and what is wrong in it */
export function checkDefinitions(definitions: unknown, source: SchemaSource): void {
  const method = `PolyMongoModule.${METHODS[source]}`;
  if (!Array.isArray(definitions))
    throw new PolyMongoOptionsError(
      'definitions',
      `${method}() takes an array of { name, ${source} }, not ${describeValue(definitions)}.`,
    );
  for (const [i, definition] of (definitions as (Record<string, unknown> | null | undefined)[]).entries()) {
    const refuse = (option: string, problem: string): never => {
      throw new PolyMongoOptionsError(`definitions[${i}]${option && `.${option}`}`, `${method}([${i}]) ${problem}`);
    };
    if (typeof definition !== 'object' || definition === null)
      return refuse('', `must be { name, ${source} }, not ${describeValue(definition)}.`);
    const { name, [source]: given } = definition;
    if (typeof name !== 'string' || name === '')
      return refuse(
        'name',
        `needs the model's name, as in { name: User.name, ${source}: … }, not ${describeValue(name)}.`,
      );
    if (source === 'useFactory' && typeof given !== 'function')
      return refuse('useFactory', `of ${name} needs useFactory: () => schema, not ${describeValue(given)}.`);
    if (source === 'schema' && !isSchema(given))
      return refuse('schema', `of ${name} needs a mongoose Schema, ${SCHEMA_FROM}, not ${describeValue(given)}.`);
    const { collection, discriminators = [], mongooseToken } = definition;
    if (mongooseToken !== undefined && mongooseToken !== 'default' && mongooseToken !== 'tenant')
      refuse(
        'mongooseToken',
        `of ${name} takes mongooseToken: 'default' or 'tenant', not ${describeValue(mongooseToken)}.`,
      );
    if (collection !== undefined && (typeof collection !== 'string' || collection === ''))
      refuse('collection', `of ${name} has to name a collection, not ${describeValue(collection)}.`);
    const isKind = (kind: unknown) => {
      const { name: kindName, schema } = (kind ?? {}) as { name?: unknown; schema?: unknown };
      return typeof kindName === 'string' && kindName !== '' && isSchema(schema);
    };
    if (!Array.isArray(discriminators) || !discriminators.every(isKind))
      refuse('discriminators', `of ${name} takes discriminators: [{ name, schema, value? }], each with both.`);
  }
}

/** @throws PolyMongoOptionsError where a factory of `forFeatureAsync` made no schema */
export function checkMadeSchema(name: string, schema: unknown): void {
  if (isSchema(schema)) return;
  throw new PolyMongoOptionsError(
    'useFactory',
    `The useFactory of ${name} has to give a mongoose Schema, ${SCHEMA_FROM}, not ${describeValue(schema)}.`,
  );
}

const SCHEMA_FROM = 'as SchemaFactory.createForClass() or new Schema() makes';

/** By mongoose's own mark, as it may be another copy of mongoose's. */
const isSchema = (value: unknown): boolean =>
  (value as { instanceOfSchema?: unknown } | null | undefined)?.instanceOfSchema === true;
