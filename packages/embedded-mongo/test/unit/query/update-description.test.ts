import { expect, test } from '@jest/globals';
import type { Document } from 'bson';
import fc from 'fast-check';
import { isDoc, type Doc, type Value } from '../../../src/bson/value.js';
import { plainEnv } from '../../../src/query/env.js';
import { compileUpdate, diffDocuments, type UpdateDescription } from '../../../src/query/update.js';
import { doc } from '../../support/docs.js';

const plain = (value: Value): unknown =>
  isDoc(value)
    ? Object.fromEntries(
        [...value].map(([key, inner]) => [key, plain(inner)] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
      )
    : Array.isArray(value)
      ? value.map(plain)
      : value === null
        ? null
        : String(value);

/** Does to a copy what a consumer of a change stream would do with the description. */
function replay(before: Doc, { updatedFields, removedFields, truncatedArrays }: UpdateDescription): unknown {
  const copy = plain(before) as Document;
  const holder = (path: string): [Document, string] => {
    const parts = path.split('.');
    return [parts.slice(0, -1).reduce<Document>((value, part) => value[part], copy), parts[parts.length - 1]!];
  };
  for (const truncated of truncatedArrays) {
    const [parent, name] = holder(truncated.get('field') as string);
    parent[name].length = Number(truncated.get('newSize'));
  }
  for (const path of removedFields) {
    const [parent, name] = holder(path);
    delete parent[name];
  }
  for (const [path, value] of updatedFields) {
    const [parent, name] = holder(path);
    parent[name] = plain(value);
  }
  return JSON.parse(JSON.stringify(copy));
}

const name = fc.constantFrom('a', 'b', 'c');
const { value, document } = fc.letrec<{ value: unknown; document: Document }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.integer({ min: 0, max: 3 }),
    tie('document'),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
  document: fc.dictionary(name, tie('value'), { maxKeys: 3 }),
}));
const path = fc
  .array(fc.oneof(name, fc.constantFrom('0', '1')), { maxLength: 2 })
  .chain((rest) => name.map((first) => [first, ...rest].join('.')));
const operation = fc.oneof(
  fc.tuple(fc.constantFrom('$set', '$unset', '$push', '$addToSet', '$pull', '$min'), path, value),
  fc.tuple(fc.constant('$pop'), path, fc.constantFrom(1, -1)),
  fc.tuple(fc.constantFrom('$inc', '$mul'), path, fc.integer({ min: 0, max: 2 })),
  fc.tuple(fc.constant('$rename'), path, path),
);

const sortKeys = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_key, inner: unknown) =>
      inner && typeof inner === 'object' && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    ),
  );

test('what an update says it changed makes the old document the new one', () => {
  let applied = 0;
  fc.assert(
    fc.property(document, fc.array(operation, { minLength: 1, maxLength: 3 }), (before, operations) => {
      const update: Document = {};
      for (const [operator, at, operand] of operations) (update[operator] ??= {})[at] = operand;
      const source = doc(before);
      const untouched = JSON.stringify(plain(source));
      let result;
      try {
        result = compileUpdate(doc(update), plainEnv()).apply(source);
      } catch (error) {
        expect(error).toHaveProperty('code');
        return;
      }
      applied++;
      expect(JSON.stringify(plain(source))).toBe(untouched);
      expect(sortKeys(replay(source, result.description!))).toEqual(sortKeys(plain(result.doc)));
      expect(result.isModified).toBe(result.doc !== source);
    }),
    { numRuns: 1500 },
  );
  expect(applied).toBeGreaterThan(200);
});

test('what differs between two documents makes one the other', () => {
  fc.assert(
    fc.property(document, document, (before, after) => {
      const padding = { _p: 'x'.repeat(2000) };
      const [source, target] = [doc({ ...padding, ...before }), doc({ ...padding, ...after })];
      expect(sortKeys(replay(source, diffDocuments(source, target)!))).toEqual(sortKeys(plain(target)));
    }),
    { numRuns: 1000 },
  );
});
