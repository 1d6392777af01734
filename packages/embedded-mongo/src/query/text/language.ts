import { CommandError } from '../../errors.js';
import { stemEnglish } from './english.stemmer.js';
import { ENGLISH_STOP_WORDS } from './english.stop-words.js';
import { stemFrench } from './french.stemmer.js';
import { FRENCH_STOP_WORDS } from './french.stop-words.js';
import { stemGerman } from './german.stemmer.js';
import { GERMAN_STOP_WORDS } from './german.stop-words.js';

/** How the words of a language become search terms. */
export interface Language {
  readonly stopWords: ReadonlySet<string>;
  stem(word: string): string;
  /** Characters that part two words. */
  readonly delimiter: RegExp;
}

const DELIMITERS = '\\p{Dash}\\p{Pattern_Syntax}\\p{Quotation_Mark}\\p{Terminal_Punctuation}\\p{White_Space}';
const NO_WORDS: ReadonlySet<string> = new Set();

const ENGLISH: Language = {
  stopWords: ENGLISH_STOP_WORDS,
  stem: stemEnglish,
  delimiter: new RegExp(`(?!')[${DELIMITERS}]+`, 'u'),
};

/** Words as they are: `none`, and the languages whose rules are not known here. */
const PLAIN: Language = { stopWords: NO_WORDS, stem: (word) => word, delimiter: new RegExp(`[${DELIMITERS}]+`, 'u') };
const GERMAN: Language = { ...PLAIN, stopWords: GERMAN_STOP_WORDS, stem: stemGerman };
const FRENCH: Language = { ...PLAIN, stopWords: FRENCH_STOP_WORDS, stem: stemFrench };
const KNOWN: ReadonlyMap<string, Language> = new Map(
  Object.entries({ english: ENGLISH, en: ENGLISH, german: GERMAN, de: GERMAN, french: FRENCH, fr: FRENCH }),
);

/** The languages a text index takes, by name and code (manual: Text Search Languages). */
const NAMES = new Set(
  `none da danish nl dutch en english fi finnish fr french de german hu hungarian it italian nb norwegian pt portuguese
  ro romanian ru russian es spanish sv swedish tr turkish`.split(/\s+/),
);

/** @throws CommandError BadValue for a language that MongoDB has not */
export function languageOf(name: string): Language {
  const folded = name.toLowerCase();
  if (!NAMES.has(folded)) {
    throw new CommandError('BadValue', `unsupported language: "${name}" for text index version 3`);
  }
  return KNOWN.get(folded) ?? PLAIN;
}
