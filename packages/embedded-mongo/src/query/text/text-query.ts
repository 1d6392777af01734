import { type Doc, docOf, isDoc, typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { languageOf } from './language.js';
import { folded, type Sensitivity, termsOf } from './terms.js';
import { TextIndexFields } from './text-index.js';

const FIELDS = ['$search', '$language', '$caseSensitive', '$diacriticSensitive'];

function option(fields: Doc, name: string, type: 'string' | 'bool'): Value | undefined {
  const value = fields.get(name);
  if (value === undefined || typeName(value) === type) return value;
  throw new CommandError('TypeMismatch', `"${name}" had the wrong type. Expected ${type}, found ${typeName(value)}`);
}

/** What a `$text` asks of a text index: any of its terms, all of its phrases, and nothing that it negates. */
export class TextQuery {
  /** Terms to look up, at least one of which a document has. */
  readonly terms: ReadonlySet<string>;
  private readonly sensitivity: Sensitivity;
  private readonly sensitiveTerms: ReadonlySet<string>;
  private readonly negatedTerms: ReadonlySet<string>;
  private readonly phrases: readonly string[] = [];
  private readonly negatedPhrases: readonly string[] = [];

  /** @throws CommandError for an operand of `$text` that is not valid (manual: $text) */
  constructor(
    operand: Value,
    private readonly index: TextIndexFields,
  ) {
    if (!isDoc(operand)) throw new CommandError('BadValue', '$text expects an object');
    const search = option(operand, '$search', 'string') as string | undefined;
    if (search === undefined) throw new CommandError('NoSuchKey', 'Missing expected field "$search"');
    for (const name of operand.keys()) {
      if (!FIELDS.includes(name)) throw new CommandError('BadValue', 'extra fields in $text');
    }
    const name = option(operand, '$language', 'string') as string | undefined;
    const language = name === undefined ? index.defaultLanguage : languageOf(name);
    this.sensitivity = {
      isCaseSensitive: option(operand, '$caseSensitive', 'bool') === true,
      isDiacriticSensitive: option(operand, '$diacriticSensitive', 'bool') === true,
    };
    const { wanted, unwanted, phrases, negatedPhrases } = partsOf(search);
    const words = [...wanted, ...phrases].join(' ');
    this.terms = new Set(termsOf(words, language));
    this.sensitiveTerms = new Set(termsOf(words, language, this.sensitivity));
    this.negatedTerms = new Set(termsOf(unwanted.join(' '), language, this.sensitivity));
    this.phrases = phrases.map((phrase) => folded(phrase, this.sensitivity));
    this.negatedPhrases = negatedPhrases.map((phrase) => folded(phrase, this.sensitivity));
  }

  /** A document's score; undefined when it does not match. */
  scoreOf(doc: Doc): number | undefined {
    let score = 0;
    for (const [term, its] of this.index.scores(doc)) if (this.terms.has(term)) score += its;
    return score > 0 && this.isAllowed(doc) ? score : undefined;
  }

  private isAllowed(doc: Doc): boolean {
    const { sensitivity } = this;
    const isSensitive = sensitivity.isCaseSensitive || sensitivity.isDiacriticSensitive;
    const isPlain = this.phrases.length + this.negatedPhrases.length + this.negatedTerms.size === 0 && !isSensitive;
    if (isPlain) return true;
    const texts = this.index.textsOf(doc);
    const terms = new Set(texts.flatMap(({ text, language }) => termsOf(text, language, sensitivity)));
    const raw = texts.map(({ text }) => folded(text, sensitivity));
    const has = (phrase: string): boolean => raw.some((text) => text.includes(phrase));
    return (
      (!isSensitive || [...this.sensitiveTerms].some((term) => terms.has(term))) &&
      ![...this.negatedTerms].some((term) => terms.has(term)) &&
      this.phrases.every(has) &&
      !this.negatedPhrases.some(has)
    );
  }
}

/** Checks the operand of a `$text` where there is nothing to search. */
export const noTextSearch = (operand: Value): TextQuery => new TextQuery(operand, NO_FIELDS);

const NO_FIELDS = new TextIndexFields(
  docOf(['weights', new Map()], ['default_language', 'none'], ['language_override', 'language']),
);

interface SearchParts {
  readonly wanted: string[];
  readonly unwanted: string[];
  readonly phrases: string[];
  readonly negatedPhrases: string[];
}

/** Takes a search apart: words, "phrases", and those of both with a `-` before them. */
function partsOf(search: string): SearchParts {
  const parts: SearchParts = { wanted: [], unwanted: [], phrases: [], negatedPhrases: [] };
  for (const [, minus, phrase, word] of search.matchAll(/(?:(?<=^|\s)(-))?(?:"([^"]*)"?|([^\s"]+))/g)) {
    const isNegated = minus !== undefined;
    if (phrase !== undefined) (isNegated ? parts.negatedPhrases : parts.phrases).push(phrase);
    else if (word !== undefined) (isNegated ? parts.unwanted : parts.wanted).push(word);
  }
  return parts;
}
