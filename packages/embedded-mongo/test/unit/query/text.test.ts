import { describe, expect, test } from '@jest/globals';
import { languageOf } from '../../../src/query/text/language.js';
import { stemEnglish } from '../../../src/query/text/english.stemmer.js';
import { stemFrench } from '../../../src/query/text/french.stemmer.js';
import { stemGerman } from '../../../src/query/text/german.stemmer.js';
import { scoresOf, termsOf } from '../../../src/query/text/terms.js';

const ENGLISH = languageOf('english');

describe('stemEnglish', () => {
  // From the sample vocabulary that the definition of the stemmer shows.
  test.each([
    ['consign', 'consign'],
    ['consigned', 'consign'],
    ['consistency', 'consist'],
    ['consolation', 'consol'],
    ['consolingly', 'consol'],
    ['conspiracy', 'conspiraci'],
    ['constancy', 'constanc'],
    ['knightly', 'knight'],
    ['knots', 'knot'],
    ['knackeries', 'knackeri'],
    ['kneeled', 'kneel'],
    ['generously', 'generous'],
    ['communication', 'communic'],
    ['hopping', 'hop'],
    ['hoping', 'hope'],
    ['ties', 'tie'],
    ['cries', 'cri'],
    ['gas', 'gas'],
    ['kiwis', 'kiwi'],
    ['skies', 'sky'],
    ['dying', 'die'],
    ["dog's", 'dog'],
    ['relational', 'relat'],
    ['vietnamization', 'vietnam'],
    ['predication', 'predic'],
    ['sayings', 'say'],
    ['enjoyed', 'enjoy'],
    ['be', 'be'],
  ])('%s: %s', (word, stem) => expect(stemEnglish(word)).toBe(stem));
});

describe('stemGerman', () => {
  test.each([
    ['aufeinanderfolgenden', 'aufeinanderfolg'],
    ['auferlegten', 'auferlegt'],
    ['kategorien', 'kategori'],
    ['kategorisch', 'kategor'],
    ['katers', 'kat'],
    ['kätzchen', 'katzch'],
    ['häuser', 'haus'],
    ['straße', 'strass'],
    ['bedürfnissen', 'bedurfnis'],
    ['möglichkeit', 'moglich'],
    ['kauern', 'kau'],
    ['foxes', 'fox'],
  ])('%s: %s', (word, stem) => expect(stemGerman(word)).toBe(stem));
});

describe('stemFrench', () => {
  test.each([
    ['continuellement', 'continuel'],
    ['continuation', 'continu'],
    ['contournait', 'contourn'],
    ['contradictoirement', 'contradictoir'],
    ['majestueusement', 'majestu'],
    ['maintenir', 'mainten'],
    ['maladie', 'malad'],
    ['maïs', 'maï'],
    ['finissons', 'fin'],
    ['heureusement', 'heureux'],
    ['chevaux', 'cheval'],
    ['nationalité', 'national'],
    ['fatiguë', 'fatigu'],
    ['Foxes', 'Fox'],
  ])('%s: %s', (word, stem) => expect(stemFrench(word)).toBe(stem));
});

describe('termsOf', () => {
  test('takes stems of words, without stop words, case and diacritics', () => {
    expect(termsOf("The CAFÉ's coffee-cakes, and 3 running dogs!", ENGLISH)).toEqual([
      'cafe',
      'coffe',
      'cake',
      '3',
      'run',
      'dog',
    ]);
    expect(termsOf('The running dogs', languageOf('none'))).toEqual(['the', 'running', 'dogs']);
  });

  test('refuses a language that is not known', () => {
    expect(() => languageOf('klingon')).toThrow('unsupported language: "klingon" for text index version 3');
  });
});

describe('scoresOf', () => {
  test('weighs a term by its share of the text, each repetition half as much as the one before', () => {
    expect(scoresOf('coffee and cake', 1, ENGLISH).get('coffe')).toBe(0.75);
    expect(scoresOf('coffee coffee cake', 1, ENGLISH).get('coffe')).toBeCloseTo(1.5 * (0.5 + 0.5 * (2 / 3)));
    expect(scoresOf('cake', 5, ENGLISH).get('cake')).toBeCloseTo(5 * 1.1);
  });
});
