import { describe, expect, test } from '@jest/globals';
import type { Document } from 'bson';
import { parseCollation } from '../../../src/bson/collation.js';
import { doc, hexOf } from '../../support/docs.js';

const collation = (options: Document) => parseCollation(doc(options))!;
const sorted = (options: Document, texts: string[]) => [...texts].sort((a, b) => collation(options).compare(a, b));

describe('parseCollation', () => {
  test.each<[string, Document, string[], string[]]>([
    ['letters before case', { locale: 'en' }, ['B', 'b', 'A', 'a'], ['a', 'A', 'b', 'B']],
    ['upper case first', { locale: 'en', caseFirst: 'upper' }, ['b', 'B', 'a', 'A'], ['A', 'a', 'B', 'b']],
    ['upper case first in Danish', { locale: 'da' }, ['b', 'B', 'a', 'A'], ['A', 'a', 'B', 'b']],
    ['numbers by value', { locale: 'en', numericOrdering: true }, ['a10', 'a9', 'a1'], ['a1', 'a9', 'a10']],
    ['Swedish', { locale: 'sv' }, ['ö', 'z', 'a'], ['a', 'z', 'ö']],
    ['German', { locale: 'de' }, ['z', 'ö', 'a'], ['a', 'ö', 'z']],
    ['a variant of a locale', { locale: 'de@collation=phonebook' }, ['oz', 'öa', 'od'], ['od', 'öa', 'oz']],
    [
      'accents from the end',
      { locale: 'fr_CA', backwards: true },
      ['coté', 'côte', 'cote', 'côté'],
      ['cote', 'côte', 'coté', 'côté'],
    ],
    [
      'accents from the beginning',
      { locale: 'fr' },
      ['côte', 'coté', 'cote', 'côté'],
      ['cote', 'coté', 'côte', 'côté'],
    ],
  ])('sorts %s', (_title, options, texts, expected) => {
    expect(sorted(options, texts)).toEqual(expected);
  });

  test.each<[Document, string, string, boolean]>([
    [{ strength: 1 }, 'résumé', 'RESUME', true],
    [{ strength: 2 }, 'résumé', 'RÉSUMÉ', true],
    [{ strength: 2 }, 'résumé', 'resume', false],
    [{ strength: 3 }, 'a', 'A', false],
    [{ strength: 1, caseLevel: true }, 'e', 'é', true],
    [{ strength: 1, caseLevel: true }, 'e', 'E', false],
    [{ alternate: 'shifted' }, 'black bird', 'blackbird', true],
    [{ alternate: 'shifted' }, 'black-bird', 'blackbird', true],
    [{ alternate: 'shifted', maxVariable: 'space' }, 'black bird', 'blackbird', true],
    [{ alternate: 'shifted', maxVariable: 'space' }, 'black-bird', 'blackbird', false],
    [{ alternate: 'shifted', strength: 4 }, 'black bird', 'blackbird', false],
  ])('with %j takes %j and %j for equal: %s', (options, a, b, isEqual) => {
    const { compare, representative } = bound(collation({ locale: 'en', ...options }));
    expect(compare(a, b) === 0).toBe(isEqual);
    expect(representative(a) === representative(b)).toBe(isEqual);
  });

  test('reports every option', () => {
    expect(hexOf(collation({ locale: 'en_US', strength: 2 }).spec)).toBe(
      hexOf(
        doc({
          locale: 'en_US',
          caseLevel: false,
          caseFirst: 'off',
          strength: 2,
          numericOrdering: false,
          alternate: 'non-ignorable',
          maxVariable: 'punct',
          normalization: false,
          backwards: false,
          version: '57.1',
        }),
      ),
    );
  });

  test('of the simple locale gives none', () => {
    expect(parseCollation(doc({ locale: 'simple' }))).toBeUndefined();
    expect(parseCollation(undefined)).toBeUndefined();
  });

  test.each<[Document, number, string]>([
    [{}, 40414, "BSON field 'collation.locale' is missing but a required field"],
    [{ locale: 1 }, 14, "BSON field 'collation.locale' is the wrong type"],
    [{ locale: 'xx_yy_zz' }, 2, `Field 'locale' is invalid in: { locale: "xx_yy_zz" }`],
    [{ locale: 'en', foo: 1 }, 40415, "BSON field 'collation.foo' is an unknown field."],
    [{ locale: 'en', strength: 6 }, 2, "Enumeration value '6' for field 'collation.strength' is not a valid value."],
    [
      { locale: 'en', caseFirst: 'x' },
      2,
      "Enumeration value 'x' for field 'collation.caseFirst' is not a valid value.",
    ],
    [{ locale: 'da', strength: 2 }, 2, "'caseFirst' is invalid"],
    [{ locale: 'en', strength: 1, backwards: true }, 2, "'backwards' is invalid with 'strength' of 1"],
    [{ locale: 'en', strength: 1, caseFirst: 'upper' }, 2, "'caseFirst' is invalid"],
    [{ locale: 'en', caseLevel: 'x' }, 14, "BSON field 'collation.caseLevel' is the wrong type"],
  ])('refuses %j', (options, code, message) => {
    expect(() => collation(options)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});

function bound(of: ReturnType<typeof collation>) {
  return { compare: of.compare.bind(of), representative: of.representative.bind(of) };
}
