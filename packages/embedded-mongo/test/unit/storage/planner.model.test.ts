import { describe, expect, it } from '@jest/globals';
import { MaxKey, MinKey } from 'bson';
import fc from 'fast-check';
import { type Collation, parseCollation } from '../../../src/bson/collation.js';
import { decodeDoc } from '../../../src/bson/decode.js';
import { formatDoc } from '../../../src/bson/format.js';
import { splitPath, visitPath } from '../../../src/bson/path.js';
import type { Doc } from '../../../src/bson/value.js';
import { plainEnv } from '../../../src/query/env.js';
import { compileFilter } from '../../../src/query/filter.js';
import { compileProjection } from '../../../src/query/projection.js';
import { compileSort } from '../../../src/query/sort.js';
import { valueKey } from '../../../src/query/value-key.js';
import { LATEST } from '../../../src/storage/read-view.js';
import { Storage } from '../../../src/storage/storage.js';
import { bytesFrom, collectionOf, createIndex, docFrom, inUnit, plan, type Plain } from './fixture.js';

const ENGLISH = { locale: 'en', strength: 2 };
const INDEXES: [Plain, Plain][] = [
  [{ a: 1 }, {}],
  [{ a: -1, b: 1 }, {}],
  [{ 'a.b': 1, 'a.c': 1 }, {}],
  [{ b: 1, a: 1 }, { sparse: true }],
  [{ c: 1 }, { partialFilterExpression: { c: { $gt: 2 } } }],
  [{ a: 1, b: 1, c: -1 }, {}],
  [{ c: 'hashed' }, {}],
  [{ '$**': 1 }, {}],
  [{ c: 1, '$**': 1 }, { wildcardProjection: { c: 0, _id: 0 } }],
  [{ 'a.$**': 1, b: -1 }, {}],
  [{ b: -1, 'a.$**': -1, c: 1 }, {}],
  [{ b: 1 }, { collation: ENGLISH }],
  [{ b: -1, a: 1 }, { collation: ENGLISH }],
];

const scalar = fc.oneof(
  fc.integer({ min: -2, max: 5 }),
  fc.constantFrom(
    0.5,
    NaN,
    null,
    true,
    false,
    '',
    'a',
    'A',
    'ab',
    'b',
    new Date(1),
    new Date(2),
    new MinKey(),
    new MaxKey(),
  ),
);
const innermost = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }) },
);
const inner = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom('b', 'c'), innermost, { maxKeys: 2 }) },
);
const field = fc.oneof({ weight: 4, arbitrary: inner }, { weight: 1, arbitrary: fc.array(inner, { maxLength: 3 }) });
const doc = fc.dictionary(fc.constantFrom('a', 'b', 'c'), field, { maxKeys: 3 });

const operand = fc.oneof(scalar, field);
const operators = fc.oneof(
  field.map((value) => ({ $eq: value })),
  fc.tuple(fc.constantFrom('$gt', '$gte', '$lt', '$lte', '$ne'), scalar).map(([name, value]) => ({ [name]: value })),
  fc.tuple(scalar, scalar).map(([low, high]) => ({ $gte: low, $lt: high })),
  fc.array(operand, { maxLength: 3 }).map((values) => ({ $in: values })),
  fc.array(operand, { maxLength: 2 }).map((values) => ({ $nin: values })),
  fc.boolean().map((value) => ({ $exists: value })),
  fc.constantFrom({ $regex: '^a' }, { $regex: 'b' }, { $regex: '^A', $options: 'i' }),
  fc.tuple(scalar, scalar).map(([low, high]) => ({ $elemMatch: { $gte: low, $lte: high } })),
  fc.tuple(scalar, scalar).map(([b, c]) => ({ $elemMatch: { b, c } })),
  fc.tuple(scalar, scalar).map(([low, high]) => ({ $elemMatch: { b: { $gte: low, $lte: high } } })),
  fc.array(operand, { minLength: 1, maxLength: 2 }).map((values) => ({ $all: values })),
  scalar.map((value) => ({ $not: { $gt: value } })),
);
const clause = fc
  .tuple(fc.constantFrom('a', 'b', 'c', 'a.b', 'a.c'), fc.oneof(operators, operand))
  .map(([path, condition]): Plain => ({ [path]: condition }));
const filter = fc.oneof(
  clause,
  fc.tuple(clause, clause).map(([x, y]) => ({ ...x, ...y })),
  fc.tuple(clause, clause).map(([x, y]) => ({ $and: [x, y] })),
  fc.tuple(clause, clause).map(([x, y]) => ({ $or: [x, y] })),
  fc.tuple(clause, clause, clause).map(([x, y, z]) => ({ ...x, $or: [y, z] })),
);
const sort = fc.constantFrom<Plain | undefined>(
  undefined,
  { a: 1 },
  { a: -1, b: 1 },
  { a: 1, b: -1 },
  { b: -1 },
  { c: 1 },
);

const hasParallelArrays = (each: Plain, order: Plain): boolean =>
  Object.keys(order).filter((path) => Array.isArray(each[path])).length > 1;

const byId = (a: readonly [number, string], b: readonly [number, string]): number => a[0] - b[0];

function valuesAt(path: string, docs: Doc[], collation?: Collation): string[] {
  const found = new Set<string>();
  for (const each of docs) {
    visitPath(each, splitPath(path), 'elements', (value) => {
      if (value !== undefined) found.add(valueKey(value, collation));
      return false;
    });
  }
  return [...found].sort();
}

describe('planQuery', () => {
  const english = parseCollation(docFrom(ENGLISH));
  const cases = INDEXES.map(([key, options]) => ({
    key,
    options,
    collation: undefined as typeof english,
    name: 'without a collation',
  }));
  const collated = INDEXES.slice(-2).map(([key, options]) => ({
    key,
    options,
    collation: english,
    name: 'with the collation',
  }));
  it.each([...cases, ...collated])(
    'answers by the index $key $options what a full scan answers, $name',
    ({ key, options, collation }) => {
      fc.assert(
        fc.property(
          fc.array(doc, { minLength: 1, maxLength: 25 }),
          fc.array(filter, { minLength: 1, maxLength: 12 }),
          sort,
          (documents, filters, order) => {
            const storage = new Storage();
            const env = { ...plainEnv(), ...(collation && { collation }) };
            const collection = collectionOf(storage);
            createIndex(storage, collection, key, options);
            inUnit(storage, (unit) => {
              documents.forEach((each, i) => {
                if (order && hasParallelArrays(each, order)) return; // no order by these is defined
                try {
                  unit.insert(collection, bytesFrom({ _id: i, ...each }));
                } catch (error) {
                  if (!/parallel arrays|hashed indexes/.test(String(error))) throw error;
                }
              });
            });
            for (const each of filters) {
              const matches = compileFilter(docFrom(each), env);
              const expected = [...collection.scan(LATEST)]
                .filter(({ bytes }) => matches(decodeDoc(bytes)))
                .map(({ id }) => id);
              const query = plan(collection, each, order ? { sort: docFrom(order) } : {}, env);
              const found = [...query.run(LATEST)];
              const summary = query.summary;
              expect({ each, summary, found: found.map(({ id }) => id).sort((x, y) => x - y) }).toEqual({
                each,
                summary,
                found: expected,
              });
              const paths = ['a', 'b', 'c', 'a.b'];
              const docs = found.map(({ doc }) => doc);
              expect({ each, count: plan(collection, each, { isCount: true }, env).count(LATEST) }).toEqual({
                each,
                count: found.length,
              });
              for (const shown of [
                { a: 1, _id: 0 },
                { a: 1, b: 1, _id: 0 },
                { 'a.b': 1, 'a.c': 1, _id: 0 },
              ]) {
                const projection = docFrom(shown);
                const project = compileProjection(projection, env);
                const sorted = { projection, ...(order && { sort: docFrom(order) }) };
                const covered = [...plan(collection, each, sorted, env).run(LATEST)];
                const projected = covered.map((match) => [match.id, formatDoc(project(match.doc))] as const);
                const whole = found.map((match) => [match.id, formatDoc(project(match.doc))] as const);
                expect({ each, shown, projected: projected.sort(byId) }).toEqual({
                  each,
                  shown,
                  projected: whole.sort(byId),
                });
              }
              for (const path of paths) {
                const distinct = [...plan(collection, each, { distinctKey: path }, env).run(LATEST)];
                const values = valuesAt(path, distinct.map((match) => match.doc), env.collation); // prettier-ignore
                expect({ each, path, values }).toEqual({ each, path, values: valuesAt(path, docs, env.collation) });
              }
              if (!order) continue;
              const compare = compileSort(docFrom(order), env);
              const misplaced = found.findIndex((match, i) => i > 0 && compare(found[i - 1]!.doc, match.doc) > 0);
              expect({ each, order, misplaced }).toEqual({ each, order, misplaced: -1 });
            }
            storage.close();
          },
        ),
        { numRuns: 50 },
      );
    },
  );
});
