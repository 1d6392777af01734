/*
 * The Snowball stemmer for German, which MongoDB's text indexes use.
 * See https://snowballstem.org/algorithms/german/stemmer.html
 */
import { regionAfter } from './stem-regions.js';

const VOWELS = 'aeiouyäöü';
const UMLAUTS: Readonly<Record<string, string>> = { ä: 'a', ö: 'o', ü: 'u', U: 'u', Y: 'y' };

/** `u` and `y` between vowels are consonants, and written in capitals while the steps run. */
const markConsonants = (word: string): string =>
  word.replaceAll('ß', 'ss').replace(/(?<=[aeiouyäöü])[uy](?=[aeiouyäöü])/g, (letter) => letter.toUpperCase());

/** Takes an ending off if it begins in a region. */
const without = (word: string, ending: RegExp, region: number): string | undefined => {
  const found = ending.exec(word);
  return found && found.index >= region ? word.slice(0, found.index) : undefined;
};

function inflection(word: string, region1: number): string {
  const [ending = ''] = /(ern|em|er|en|es|e|s)$/.exec(word) ?? [];
  const stem = word.slice(0, word.length - ending.length);
  if (ending === '' || stem.length < region1) return word;
  if (ending === 's') return /[bdfghklmnrt]$/.test(stem) ? stem : word;
  return ending.startsWith('e') && ending.length < 3 && !/[mr]$/.test(ending) && stem.endsWith('niss')
    ? stem.slice(0, -1)
    : stem;
}

function comparison(word: string, region1: number): string {
  const [ending = ''] = /(est|en|er|st)$/.exec(word) ?? [];
  const stem = word.slice(0, word.length - ending.length);
  if (ending === '' || stem.length < region1) return word;
  return ending !== 'st' || /...[bdfghklmnt]$/.test(stem) ? stem : word;
}

function derivation(word: string, region1: number, region2: number): string {
  const ending = /(isch|lich|heit|keit|end|ung|ig|ik)$/.exec(word)?.[0];
  const stem = ending && without(word, new RegExp(`${ending}$`), region2);
  if (stem === undefined || stem === '' || ending === undefined) return word;
  if (ending === 'end' || ending === 'ung') return without(stem, /(?<!e)ig$/, region2) ?? stem;
  if (ending === 'lich' || ending === 'heit') return without(stem, /e[rn]$/, region1) ?? stem;
  if (ending === 'keit') return without(stem, /(lich|ig)$/, region2) ?? stem;
  return stem.endsWith('e') ? word : stem;
}

/** The stem of a German word in lower case. */
export function stemGerman(given: string): string {
  const word = markConsonants(given);
  const first = regionAfter(word, VOWELS);
  const region2 = regionAfter(word, VOWELS, first);
  const region1 = Math.max(first, 3);
  const stem = derivation(comparison(inflection(word, region1), region1), region1, region2);
  return stem.replace(/[äöüUY]/g, (letter) => UMLAUTS[letter] as string);
}
