/*
 * The Porter2 stemmer for English, which MongoDB's text indexes use.
 * See https://snowballstem.org/algorithms/english/stemmer.html
 */
import { regionAfter } from './stem-regions.js';

const VOWEL = 'aeiouy';
const isVowel = (word: string, at: number): boolean => VOWEL.includes(word[at] ?? '-');

const EXCEPTIONS: ReadonlyMap<string, string> = new Map(
  `skis ski skies sky dying die lying lie tying tie idly idl gently gentl ugly ugli early earli only onli singly singl
  sky sky news news howe howe atlas atlas cosmos cosmos bias bias andes andes`
    .split(/\s+/)
    .flatMap((word, i, all) => (i % 2 === 0 ? [[word, all[i + 1]!] as const] : [])),
);
const KEPT_AFTER_PLURAL = new Set([
  'inning',
  'outing',
  'canning',
  'herring',
  'earring',
  'proceed',
  'exceed',
  'succeed',
]);
const DOUBLES = ['bb', 'dd', 'ff', 'gg', 'mm', 'nn', 'pp', 'rr', 'tt'];

function firstRegion(word: string): number {
  const prefix = /^(gener|commun|arsen)/.exec(word);
  return prefix ? prefix[0].length : regionAfter(word, VOWEL);
}

const hasVowel = (text: string): boolean => /[aeiouy]/.test(text);

/** Whether a word ends in a short syllable. */
function endsShort(word: string): boolean {
  const last = word.length - 1;
  if (last === 1) return isVowel(word, 0) && !isVowel(word, 1);
  return !isVowel(word, last) && !'wxY'.includes(word[last]!) && isVowel(word, last - 1) && !isVowel(word, last - 2);
}

const isShort = (word: string, region1: number): boolean => region1 >= word.length && endsShort(word);

/** A `y` that is a consonant is written `Y` while the steps run. */
const markConsonants = (word: string): string => word.replace(/^y/, 'Y').replace(/([aeiou])y/g, '$1Y');

function plural(word: string): string {
  if (word.endsWith('sses')) return word.slice(0, -2);
  if (/ie[ds]$/.test(word)) return word.length > 4 ? word.slice(0, -2) : word.slice(0, -1);
  if (/(us|ss)$/.test(word)) return word;
  return word.endsWith('s') && hasVowel(word.slice(0, -2)) ? word.slice(0, -1) : word;
}

function pastAndProgressive(word: string, region1: number): string {
  const eed = /eed(ly)?$/.exec(word);
  if (eed) return eed.index >= region1 ? word.slice(0, eed.index) + 'ee' : word;
  const ending = /(ed|edly|ing|ingly)$/.exec(word);
  if (!ending || !hasVowel(word.slice(0, ending.index))) return word;
  const stem = word.slice(0, ending.index);
  if (/(at|bl|iz)$/.test(stem)) return stem + 'e';
  if (DOUBLES.includes(stem.slice(-2))) return stem.slice(0, -1);
  return isShort(stem, region1) ? stem + 'e' : stem;
}

const finalY = (word: string): string =>
  word.length > 2 && /[yY]$/.test(word) && !isVowel(word, word.length - 2) ? word.slice(0, -1) + 'i' : word;

/** Endings of the second step and what they become, the longest first. */
const DERIVED: readonly (readonly [RegExp, string])[] = [
  [/ational$/, 'ate'],
  [/ization$/, 'ize'],
  [/fulness$/, 'ful'],
  [/ousness$/, 'ous'],
  [/iveness$/, 'ive'],
  [/tional$/, 'tion'],
  [/biliti$/, 'ble'],
  [/lessli$/, 'less'],
  [/entli$/, 'ent'],
  [/ation$/, 'ate'],
  [/alism$/, 'al'],
  [/aliti$/, 'al'],
  [/ousli$/, 'ous'],
  [/iviti$/, 'ive'],
  [/fulli$/, 'ful'],
  [/enci$/, 'ence'],
  [/anci$/, 'ance'],
  [/abli$/, 'able'],
  [/izer$/, 'ize'],
  [/ator$/, 'ate'],
  [/alli$/, 'al'],
  [/bli$/, 'ble'],
  [/(?<=l)ogi$/, 'og'],
  [/(?<=[cdeghkmnrt])li$/, ''],
];

function replaceFirst(word: string, endings: readonly (readonly [RegExp, string])[], region: number): string {
  for (const [ending, replacement] of endings) {
    const found = ending.exec(word);
    if (found) return found.index >= region ? word.slice(0, found.index) + replacement : word;
  }
  return word;
}

const SHORTENED: readonly (readonly [RegExp, string])[] = [
  [/ational$/, 'ate'],
  [/tional$/, 'tion'],
  [/alize$/, 'al'],
  [/icate$/, 'ic'],
  [/iciti$/, 'ic'],
  [/ical$/, 'ic'],
  [/ful$/, ''],
  [/ness$/, ''],
];

function third(word: string, region1: number, region2: number): string {
  const ative = /ative$/.exec(word);
  if (ative) return ative.index >= region2 ? word.slice(0, ative.index) : word;
  return replaceFirst(word, SHORTENED, region1);
}

const DELETED = /(ement|ance|ence|able|ible|ment|ant|ent|ism|ate|iti|ous|ive|ize|al|er|ic|(?<=[st])ion)$/;

function fourth(word: string, region2: number): string {
  const found = DELETED.exec(word);
  return found && found.index >= region2 ? word.slice(0, found.index) : word;
}

function fifth(word: string, region1: number, region2: number): string {
  const at = word.length - 1;
  if (word.endsWith('e') && (at >= region2 || (at >= region1 && !endsShort(word.slice(0, -1))))) {
    return word.slice(0, -1);
  }
  return word.endsWith('ll') && at >= region2 ? word.slice(0, -1) : word;
}

/** The stem of an English word in lower case. */
export function stemEnglish(given: string): string {
  if (given.length <= 2) return given;
  const exception = EXCEPTIONS.get(given);
  if (exception) return exception;
  let word = markConsonants(given.replace(/^'/, ''));
  const region1 = firstRegion(word);
  const region2 = regionAfter(word, VOWEL, region1);
  word = plural(word.replace(/'(s'?)?$/, ''));
  if (KEPT_AFTER_PLURAL.has(word)) return word;
  word = finalY(pastAndProgressive(word, region1));
  word = third(replaceFirst(word, DERIVED, region1), region1, region2);
  return fifth(fourth(word, region2), region1, region2).replaceAll('Y', 'y');
}
