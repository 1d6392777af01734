import { isDeepStrictEqual, inspect } from 'node:util';
import type { INestApplicationContext } from '@nestjs/common';
import { FixtureMismatchError } from './testing.errors.js';
import { wrapperOf } from './test-tenant.js';

/** Documents by the names of their models. */
export type Fixtures = Readonly<Record<string, readonly object[]>>;

/** Whose documents they are; without both those of the default database. */
export interface FixturePlace {
  /** A tenant, which need not exist. */
  tenant?: string;
  /** A database by its name. */
  db?: string;
  /** The name of the root, where it has one. */
  root?: string;
}

type Documents = Record<string, unknown>[];

/** Every model of the fixtures, on the database that is meant. */
function modelsIn(app: Pick<INestApplicationContext, 'get'>, { tenant, db, root }: FixturePlace) {
  const wrapper = wrapperOf(app, root);
  const { tenantDatabases, options } = wrapper;
  const name = db ?? (tenant === undefined ? options.defaultDB : tenantDatabases.of(tenant));
  return (model: string) => wrapper.wrapModel(wrapper.models.blueprint(model)).db(name);
}

/**
 * Replaces all documents of these models by others, which the models make, so that defaults and casts are as in the application.
 * @throws ModelNotRegisteredError; what mongoose throws for a document that is not valid
 * @example await loadFixtures(app, { User: [{ email: 'ada@example.com' }] }, { tenant: 'acme' });
 */
export async function loadFixtures(
  app: Pick<INestApplicationContext, 'get'>,
  fixtures: Fixtures,
  place: FixturePlace = {},
): Promise<void> {
  const modelOf = modelsIn(app, place);
  for (const [name, documents] of Object.entries(fixtures)) {
    const model = modelOf(name);
    await model.deleteMany({});
    await model.insertMany([...documents]);
  }
}

/**
 * Compares all documents of these models with what should be there, in any order: of each document the fields that are named.
 * @throws FixtureMismatchError with what is missing and what is too many; ModelNotRegisteredError
 * @example await expectFixtures(app, { User: [{ email: 'ada@example.com' }] }, { tenant: 'acme' });
 */
export async function expectFixtures(
  app: Pick<INestApplicationContext, 'get'>,
  fixtures: Fixtures,
  place: FixturePlace = {},
): Promise<void> {
  const modelOf = modelsIn(app, place);
  for (const [name, expected] of Object.entries(fixtures)) {
    const left = (await modelOf(name).find().lean()) as Documents;
    const missing = expected.filter((document) => {
      const at = left.findIndex((found) => isIn(document, found));
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    });
    if (missing.length + left.length > 0) throw new FixtureMismatchError(name, missing, left, (v) => inspect(v));
  }
}

/** The document has these fields with these values; it may have others. */
const isIn = (expected: object, found: Record<string, unknown>): boolean =>
  Object.entries(expected).every(([field, value]) => isDeepStrictEqual(plain(found[field]), plain(value)));

/** A value as it is compared: an ObjectId by its digits, whoever's class it is. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if ('toHexString' in value) return String(value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}
