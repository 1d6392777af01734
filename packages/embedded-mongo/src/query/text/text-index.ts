import { isNumeric, toNumber } from '../../bson/number.js';
import { splitPath, visitPath } from '../../bson/path.js';
import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { type Language, languageOf } from './language.js';
import { scoresOf } from './terms.js';

/** A text that is searched, what it weighs, and its language. */
export interface WeightedText {
  readonly text: string;
  readonly weight: number;
  readonly language: Language;
}

/** What a text index makes of documents; `listed` is the index as listIndexes shows it. */
export class TextIndexFields {
  readonly defaultLanguage: Language;
  private readonly weights: readonly (readonly [string, number])[];
  private readonly override: string;

  /** @throws CommandError BadValue, CannotCreateIndex for weights and languages that cannot be */
  constructor(listed: Doc) {
    this.weights = [...(listed.get('weights') as Doc)].map(([field, weight]) => {
      if (!isNumeric(weight)) throw new CommandError('CannotCreateIndex', 'weight for text index needs numeric type');
      if (toNumber(weight) <= 0 || toNumber(weight) >= 1e5) {
        throw new CommandError('CannotCreateIndex', `text index weight must be in the exclusive interval (0,100000)`);
      }
      return [field, toNumber(weight)] as const;
    });
    this.defaultLanguage = languageOf(String(listed.get('default_language')));
    this.override = String(listed.get('language_override'));
  }

  /** The texts of a document: strings at the indexed paths, or anywhere for `$**`. */
  textsOf(doc: Doc): WeightedText[] {
    const named = doc.get(this.override);
    if (named !== undefined && typeof named !== 'string') {
      throw new CommandError(17261, 'found language override field in document with non-string type');
    }
    const language = named === undefined ? this.defaultLanguage : overriding(named);
    const texts: WeightedText[] = [];
    for (const [field, weight] of this.weights) {
      if (field === '$**') this.everywhere(doc, '', weight, language, texts);
      else {
        visitPath(doc, splitPath(field), 'elements', (value) => {
          if (typeof value === 'string') texts.push({ text: value, weight, language });
          return false;
        });
      }
    }
    return texts;
  }

  /** The document's terms with their scores. */
  scores(doc: Doc): Map<string, number> {
    const total = new Map<string, number>();
    for (const { text, weight, language } of this.textsOf(doc)) {
      for (const [term, score] of scoresOf(text, weight, language)) total.set(term, (total.get(term) ?? 0) + score);
    }
    return total;
  }

  private everywhere(value: Value, path: string, weight: number, language: Language, texts: WeightedText[]): void {
    if (typeof value === 'string') texts.push({ text: value, weight, language });
    else if (Array.isArray(value)) for (const each of value) this.everywhere(each, path, weight, language, texts);
    else if (isDoc(value)) {
      for (const [name, inner] of value) {
        const below = path === '' ? name : `${path}.${name}`;
        const hasOwnWeight = this.weights.some(([field]) => field === below);
        if (!hasOwnWeight && below !== this.override) this.everywhere(inner, below, weight, language, texts);
      }
    }
  }
}

function overriding(name: string): Language {
  try {
    return languageOf(name);
  } catch {
    throw new CommandError(17262, `language override unsupported: ${name}`);
  }
}
