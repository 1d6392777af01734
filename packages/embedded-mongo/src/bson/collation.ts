import { Int32 } from 'bson';
import { CommandError } from '../errors.js';
import { unknownField } from './known-fields.js';
import { isNumeric, toExactInt64 } from './number.js';
import { firstNotBefore } from './sorted.js';
import { type Doc, type Value } from './value.js';

/** How strings compare; where there is none ('simple') they compare by code point. */
export interface Collation {
  /** The collation with every default filled in, as listCollections and listIndexes report it. */
  readonly spec: Doc;
  /** @returns -1, 0 or 1 */
  compare(a: string, b: string): number;
  /** The first string seen by this collation that equals `text`: the same for all equal ones, a key to group by. */
  representative(text: string): string;
}

/** Whether strings compare alike by both; undefined: byte by byte. */
export const isSameCollation = (a: Collation | undefined, b: Collation | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && JSON.stringify([...a.spec]) === JSON.stringify([...b.spec]));

const DEFAULTS: readonly [string, Value][] = [
  ['caseLevel', false],
  ['caseFirst', 'off'],
  ['strength', new Int32(3)],
  ['numericOrdering', false],
  ['alternate', 'non-ignorable'],
  ['maxVariable', 'punct'],
  ['normalization', false],
  ['backwards', false],
  ['version', '57.1'],
];

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  caseFirst: ['upper', 'lower', 'off'],
  alternate: ['non-ignorable', 'shifted'],
  maxVariable: ['punct', 'space'],
};

/** BCP 47 names of ICU's collation variants. */
const VARIANTS: Readonly<Record<string, string>> = {
  phonebook: 'phonebk',
  traditional: 'trad',
  dictionary: 'dict',
  gb2312han: 'gb2312',
};

function languageTag(locale: string): string {
  const [name, variant] = locale.split('@collation=') as [string, string | undefined];
  const tag = name.replaceAll('_', '-');
  return variant ? `${tag}-u-co-${VARIANTS[variant] ?? variant}` : tag;
}

/** What an option is by default. @throws CommandError for a name that is none */
function standardOf(name: string): Value {
  const standard = DEFAULTS.find(([known]) => known === name)?.[1];
  if (standard !== undefined) return standard;
  throw unknownField('collation', name);
}

function checkOption(name: string, value: Value): Value {
  const standard = standardOf(name);
  if (name === 'strength') {
    const strength = isNumeric(value) ? toExactInt64(value) : undefined;
    if (strength === undefined || strength < 1n || strength > 5n) {
      throw new CommandError(
        'BadValue',
        `Enumeration value '${String(value)}' for field 'collation.strength' is not a valid value.`,
      );
    }
    return new Int32(Number(strength));
  }
  if (typeof value !== typeof standard) {
    throw new CommandError(
      'TypeMismatch',
      `BSON field 'collation.${name}' is the wrong type, expected type '${typeof standard === 'boolean' ? 'bool' : 'string'}'`,
    );
  }
  if (CHOICES[name] && !CHOICES[name].includes(value as string)) {
    throw new CommandError(
      'BadValue',
      `Enumeration value '${String(value)}' for field 'collation.${name}' is not a valid value.`,
    );
  }
  return value;
}

function fullSpec(options: Doc, locale: string): Doc {
  const given = new Map<string, Value>();
  for (const [name, value] of options) if (name !== 'locale') given.set(name, checkOption(name, value));
  const spec: Doc = new Map([['locale', locale]]);
  for (const [name, standard] of DEFAULTS) spec.set(name, given.get(name) ?? standard);
  if (!given.has('caseFirst') && putsCapitalsFirst(locale)) spec.set('caseFirst', 'upper');
  return spec;
}

/**
 * The collation of a command's or collection's `collation` option, `undefined` for `{ locale: 'simple' }`.
 *
 * @throws CommandError when the locale is missing or unknown, or an option is
 */
export function parseCollation(options: Doc | undefined): Collation | undefined {
  if (!options) return undefined;
  for (const name of options.keys()) if (name !== 'locale') standardOf(name);
  const locale = options.get('locale');
  if (typeof locale !== 'string') {
    throw locale === undefined
      ? new CommandError(40414, "BSON field 'collation.locale' is missing but a required field")
      : new CommandError('TypeMismatch', "BSON field 'collation.locale' is the wrong type, expected type 'string'");
  }
  const spec = fullSpec(options, locale);
  if (locale === 'simple') return undefined;
  const tag = languageTag(locale);
  if (!isSupported(tag)) throw new CommandError('BadValue', `Field 'locale' is invalid in: { locale: "${locale}" }`);
  checkCombination(spec);
  return new IntlCollation(spec, tag);
}

/** The locales whose capitals come first unless told otherwise (ICU's collation data). */
const CAPITALS_FIRST = ['da', 'mt'];
const putsCapitalsFirst = (locale: string): boolean => CAPITALS_FIRST.includes(locale.split(/[-_@]/)[0]!);

/** @throws CommandError BadValue for accents that do not count, yet from behind, and for letters that differ in nothing but case, yet are to be ordered by it */
function checkCombination(spec: Doc): void {
  if (spec.get('backwards') === true && (spec.get('strength') as Int32).value === 1) {
    throw new CommandError('BadValue', "'backwards' is invalid with 'strength' of 1");
  }
  if (spec.get('caseFirst') === 'off' || spec.get('caseLevel') === true || (spec.get('strength') as Int32).value > 2)
    return;
  throw new CommandError('BadValue', "'caseFirst' is invalid unless 'caseLevel' is on or 'strength' is greater than 2");
}

function isSupported(tag: string): boolean {
  try {
    return Intl.Collator.supportedLocalesOf(tag).length === 1;
  } catch {
    return false;
  }
}

/** ICU's collation by way of Intl, with the options Intl has no words for done here. */
class IntlCollation implements Collation {
  private readonly collator: Intl.Collator;
  private readonly base: Intl.Collator;
  private readonly accent: Intl.Collator;
  private readonly seen: string[] = [];
  private readonly strength: number;
  private readonly isBackwards: boolean;
  private readonly ignoresSpaceOnly: boolean;
  private readonly isShifted: boolean;

  constructor(
    readonly spec: Doc,
    tag: string,
  ) {
    this.strength = (spec.get('strength') as Int32).value;
    this.isShifted = spec.get('alternate') === 'shifted';
    this.ignoresSpaceOnly = this.isShifted && spec.get('maxVariable') === 'space';
    this.isBackwards = spec.get('backwards') === true && this.strength > 1;
    const caseFirst = spec.get('caseFirst') as string;
    const common: Intl.CollatorOptions = {
      numeric: spec.get('numericOrdering') === true,
      caseFirst: (caseFirst === 'off' ? 'false' : caseFirst) as 'upper' | 'lower' | 'false',
      ignorePunctuation: this.isShifted && !this.ignoresSpaceOnly,
    };
    const hasCaseLevel = spec.get('caseLevel') === true;
    const sensitivity =
      this.strength === 1
        ? hasCaseLevel
          ? 'case'
          : 'base'
        : this.strength === 2 && !hasCaseLevel
          ? 'accent'
          : 'variant';
    this.collator = new Intl.Collator(tag, { ...common, sensitivity });
    this.base = new Intl.Collator(tag, { ...common, sensitivity: 'base' });
    this.accent = new Intl.Collator(tag, { ...common, sensitivity: 'accent' });
  }

  compare(a: string, b: string): number {
    if (a === b) return 0;
    const [x, y] = this.ignoresSpaceOnly ? [a.replace(/\s+/g, ''), b.replace(/\s+/g, '')] : [a, b];
    const order = (this.isBackwards && this.compareBackwards(x, y)) || Math.sign(this.collator.compare(x, y));
    if (order !== 0 || this.strength < 4) return order;
    if (this.strength === 5 || this.isShifted) return a < b ? -1 : 1;
    return 0;
  }

  /** Canadian French: where the letters are the same the last differing accent decides. */
  private compareBackwards(a: string, b: string): number {
    if (this.base.compare(a, b) !== 0) return 0;
    const [x, y] = [Array.from(a.normalize('NFC')), Array.from(b.normalize('NFC'))];
    for (let i = 1; i <= Math.min(x.length, y.length); i++) {
      const order = this.accent.compare(x[x.length - i]!, y[y.length - i]!);
      if (order !== 0) return Math.sign(order);
    }
    return 0;
  }

  representative(text: string): string {
    const { seen } = this;
    const place = firstNotBefore(0, seen.length, (each) => this.compare(seen[each]!, text) < 0);
    const known = seen[place];
    if (known !== undefined && this.compare(known, text) === 0) return known;
    seen.splice(place, 0, text);
    return text;
  }
}
