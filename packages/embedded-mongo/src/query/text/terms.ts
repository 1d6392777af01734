import type { Language } from './language.js';
import { spend, workOfLength } from '../../bson/work.js';

/** What two words may differ in and still be the same term. */
export interface Sensitivity {
  readonly isCaseSensitive: boolean;
  readonly isDiacriticSensitive: boolean;
}

const INSENSITIVE: Sensitivity = { isCaseSensitive: false, isDiacriticSensitive: false };

/** A text without the differences that do not count. */
export function folded(text: string, { isCaseSensitive, isDiacriticSensitive }: Sensitivity): string {
  const cased = isCaseSensitive ? text : text.toLowerCase();
  return isDiacriticSensitive ? cased : cased.normalize('NFD').replace(/\p{Diacritic}/gu, '');
}

/** Stemming a word, in elements of an array. */
const WORD_WORK = 16;

/** The terms of a text: the stems of its words, without stop words. */
export function termsOf(text: string, language: Language, sensitivity: Sensitivity = INSENSITIVE): string[] {
  const terms: string[] = [];
  for (const word of text.split(language.delimiter)) {
    spend(WORD_WORK + workOfLength(word.length));
    if (word === '' || language.stopWords.has(word.toLowerCase())) continue;
    const cased = sensitivity.isCaseSensitive ? word : word.toLowerCase();
    terms.push(folded(language.stem(cased), sensitivity));
  }
  return terms;
}

/** How much each term of a text counts, as MongoDB's text index version 3 scores it. */
export function scoresOf(text: string, weight: number, language: Language): Map<string, number> {
  const seen = new Map<string, { count: number; frequency: number; next: number }>();
  const terms = termsOf(text, language);
  for (const term of terms) {
    const known = seen.get(term);
    if (!known) seen.set(term, { count: 1, frequency: 1, next: 0.5 });
    else {
      known.count++;
      known.frequency += known.next; // each repetition counts half of the one before
      known.next /= 2;
    }
  }
  const scores = new Map<string, number>();
  for (const [term, { count, frequency }] of seen) {
    const share = 0.5 + (0.5 * count) / terms.length;
    const isWhole = text.length === term.length && text.toLowerCase() === term;
    scores.set(term, weight * frequency * share * (isWhole ? 1.1 : 1));
  }
  return scores;
}
