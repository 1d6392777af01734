/*
 * The Snowball stemmer for French, which MongoDB's text indexes use.
 * See https://snowballstem.org/algorithms/french/stemmer.html
 */
import { regionAfter } from './stem-regions.js';

const VOWELS = 'aeiouyâàëéêèïîôûù';
const VOWEL = new RegExp(`[${VOWELS}]`);
const isVowel = (letter: string | undefined): boolean => letter !== undefined && VOWELS.includes(letter);

/** Vowels that stand for consonants are written in capitals while the steps run. */
function markConsonants(word: string): string {
  const letters = [...word];
  for (let i = 0; i < letters.length; i++) {
    const [before, letter, after] = [letters[i - 1], letters[i] as string, letters[i + 1]];
    const isBetween = isVowel(before) && (letter === 'y' || ('ui'.includes(letter) && isVowel(after)));
    if (isBetween || (letter === 'y' && isVowel(after)) || (letter === 'u' && before === 'q')) {
      letters[i] = letter.toUpperCase();
    }
  }
  return letters.join('');
}

function verbRegion(word: string): number {
  if (isVowel(word[0]) && isVowel(word[1])) return Math.min(3, word.length);
  if (/^(par|col|tap)/.test(word)) return 3;
  const found = word.slice(1).search(VOWEL);
  return found < 0 ? word.length : found + 2;
}

/** A word with its regions, which its steps shorten. */
class Stem {
  private readonly verb: number;
  private readonly first: number;
  private readonly second: number;

  constructor(private word: string) {
    this.verb = verbRegion(word);
    this.first = regionAfter(word, VOWELS);
    this.second = regionAfter(word, VOWELS, this.first);
  }

  run(): string {
    if (this.standard() || this.verbInI() || this.otherVerb()) {
      this.word = this.word.replace(/Y$/, 'i').replace(/ç$/, 'c');
    } else this.residual();
    return this.word
      .replace(/(enn|onn|ett|ell|eill)$/, (double) => double.slice(0, -1))
      .replace(new RegExp(`[éè]([^${VOWELS}]+)$`), 'e$1')
      .replace(/[IUY]/g, (vowel) => vowel.toLowerCase());
  }

  /** Replaces an ending that begins in a region. */
  private end(ending: RegExp, region: number, replacement = ''): boolean {
    const found = ending.exec(this.word);
    if (!found || found.index < region) return false;
    this.word = this.word.slice(0, found.index) + replacement;
    return true;
  }

  private standard(): boolean {
    const ending = STANDARD.exec(this.word)?.[0];
    if (ending === undefined) return false;
    const whole = new RegExp(`${ending}$`);
    const deleted = (): boolean => this.end(whole, this.second);
    const icOr = (): boolean => this.end(/ic$/, this.second) || this.end(/ic$/, 0, 'iqU');
    switch (ending.replace(/s$/, '')) {
      case 'atrice':
      case 'ateur':
      case 'ation':
        if (!deleted()) return false;
        icOr();
        return true;
      case 'logie':
        return this.end(whole, this.second, 'log');
      case 'usion':
      case 'ution':
        return this.end(whole, this.second, 'u');
      case 'ence':
        return this.end(whole, this.second, 'ent');
      case 'ement':
        return this.end(whole, this.verb) && (this.adverb(), true);
      case 'ité':
        if (!deleted()) return false;
        if (this.word.endsWith('abil')) return this.end(/abil$/, this.second) || this.end(/abil$/, 0, 'abl');
        if (this.word.endsWith('ic')) return icOr();
        this.end(/iv$/, this.second);
        return true;
      case 'if':
      case 'ive':
        if (!deleted()) return false;
        if (this.end(/at$/, this.second)) icOr();
        return true;
      case 'eaux':
        return this.end(whole, 0, 'eau');
      case 'aux':
        return this.end(whole, this.first, 'al');
      case 'euse':
        return deleted() || this.end(whole, this.first, 'eux');
      case 'issement':
        return !isVowel(this.word.at(-ending.length - 1)) && this.end(whole, this.first);
      case 'amment': // these leave an ending of a verb to be looked for
        this.end(whole, this.verb, 'ant');
        return false;
      case 'emment':
        this.end(whole, this.verb, 'ent');
        return false;
      case 'ment': {
        const at = this.word.length - ending.length - 1;
        if (at >= this.verb && isVowel(this.word[at])) this.end(whole, 0);
        return false;
      }
      default:
        return deleted();
    }
  }

  /** What may stand before `ement`. */
  private adverb(): void {
    if (this.word.endsWith('iv')) {
      if (this.end(/iv$/, this.second)) this.end(/at$/, this.second);
    } else if (this.word.endsWith('eus')) {
      if (!this.end(/eus$/, this.second)) this.end(/eus$/, this.first, 'eux');
    } else if (!this.end(/(abl|iqU)$/, this.second)) this.end(/[iI]èr$/, this.verb, 'i');
  }

  private verbInI(): boolean {
    const found = VERB_IN_I.exec(this.word.slice(this.verb));
    if (!found || found.index === 0 || isVowel(this.word[this.verb + found.index - 1])) return false;
    this.word = this.word.slice(0, this.verb + found.index);
    return true;
  }

  private otherVerb(): boolean {
    const found = OTHER_VERB.exec(this.word.slice(this.verb));
    if (!found) return false;
    const at = this.verb + found.index;
    if (found[0] === 'ions' && at < this.second) return false;
    this.word = this.word.slice(0, at);
    if (IN_A.test(found[0])) this.end(/e$/, this.verb);
    return true;
  }

  private residual(): void {
    if (/[^aiouès]s$/.test(this.word)) this.word = this.word.slice(0, -1);
    const tail = this.word.slice(this.verb);
    if (tail.endsWith('ion')) {
      if (/[st]ion$/.test(tail)) this.end(/ion$/, this.second);
    } else if (/([iI]er|[iI]ère)$/.test(tail)) this.end(/([iI]er|[iI]ère)$/, this.verb, 'i');
    else if (/(e|guë)$/.test(tail)) this.word = this.word.slice(0, -1);
  }
}

/** Endings that are looked for, the longest first. */
const STANDARD = new RegExp(
  `(${[
    ...['issements?', 'atrices?', 'ateurs?', 'ations?', 'logies?', 'usions?', 'utions?', 'ences?', 'amment', 'emment'],
    ...['ements?', 'ments?', 'ances?', 'iqUes?', 'ismes?', 'ables?', 'istes?', 'euses?', 'ités?', 'ives?', 'ifs?'],
    ...['eaux', 'aux', 'eux'],
  ].join('|')})$`,
);
const VERB_IN_I =
  /(issaIent|issantes|iraIent|issante|issants|issions|irions|issais|issait|issant|issent|issiez|issons|îmes|îtes|irais|irait|irent|iriez|irons|iront|isses|issez|irai|iras|irez|isse|ies|ira|ît|ie|ir|is|it|i)$/;
const IN_A = /^(assions|assent|assiez|aIent|antes|asses|âmes|âtes|ante|ants|asse|ais|ait|ant|ât|ai|as|a)$/;
const OTHER_VERB =
  /(eraIent|assions|erions|assent|assiez|èrent|erais|erait|eriez|erons|eront|aIent|antes|asses|ions|erai|eras|erez|âmes|âtes|ante|ants|asse|ées|era|iez|ais|ait|ant|ée|és|er|ez|ât|ai|as|é|a)$/;

/** The stem of a French word in lower case. */
export const stemFrench = (word: string): string => new Stem(markConsonants(word)).run();
