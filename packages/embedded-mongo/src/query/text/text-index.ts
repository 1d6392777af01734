import { isNumeric, toNumber } from '../../bson/number.js';
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
  private readonly weights: ReadonlyMap<string, number>;
  private readonly override: string;

  /** @throws CommandError BadValue, CannotCreateIndex for weights and languages that cannot be */
  constructor(listed: Doc) {
    this.weights = new Map(
      [...(listed.get('weights') as Doc)].map(([field, weight]) => {
        if (!isNumeric(weight)) throw new CommandError('CannotCreateIndex', 'weight for text index needs numeric type');
        if (toNumber(weight) <= 0 || toNumber(weight) >= 1e5) {
          throw new CommandError('CannotCreateIndex', `text index weight must be in the exclusive interval (0,100000)`);
        }
        return [field, toNumber(weight)] as const;
      }),
    );
    this.defaultLanguage = languageOf(String(listed.get('default_language')));
    this.override = String(listed.get('language_override'));
  }

  /** The texts of a document: strings at the indexed paths, or anywhere for `$**`, in the language of their document. */
  textsOf(doc: Doc): WeightedText[] {
    const texts: WeightedText[] = [];
    this.inDoc(doc, '', this.defaultLanguage, texts);
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

  private inDoc(doc: Doc, path: string, outer: Language, texts: WeightedText[]): void {
    const named = doc.get(this.override);
    if (named !== undefined && typeof named !== 'string') {
      throw new CommandError(17261, 'found language override field in document with non-string type');
    }
    const language = named === undefined ? outer : overriding(named);
    for (const [name, value] of doc) {
      if (this.isWildcard && name === this.override) continue;
      const below = path === '' ? name : `${path}.${name}`;
      if (this.isWildcard || this.leadsOn(below)) this.inValue(value, below, language, texts, false);
    }
  }

  private inValue(value: Value, path: string, language: Language, texts: WeightedText[], isElement: boolean): void {
    const weight = this.weights.get(path) ?? this.weights.get('$**');
    if (typeof value === 'string') {
      if (weight !== undefined) texts.push({ text: value, weight, language });
    } else if (Array.isArray(value)) {
      if (isElement && !this.isWildcard) return;
      for (const each of value) this.inValue(each, path, language, texts, true);
    } else if (isDoc(value)) this.inDoc(value, path, language, texts);
  }

  private get isWildcard(): boolean {
    return this.weights.has('$**');
  }

  /** Whether a path is indexed, or begins one that is. */
  private leadsOn(path: string): boolean {
    for (const indexed of this.weights.keys()) if (indexed === path || indexed.startsWith(`${path}.`)) return true;
    return false;
  }
}

function overriding(name: string): Language {
  try {
    return languageOf(name);
  } catch {
    throw new CommandError(17262, `language override unsupported: ${name}`);
  }
}
