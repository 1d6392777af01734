import { createHash } from 'node:crypto';

/** What applications do to an id to make a database name of it; most of them give several ids the same one. */
export const MAPPINGS: Record<string, (id: string) => string> = {
  asItIs: (id) => id,
  prefixed: (id) => `t_${id}`,
  lowerCase: (id) => `t_${id.toLowerCase()}`,
  upperCase: (id) => `T_${id.toUpperCase()}`,
  truncated: (id) => `t_${id}`.slice(0, 6),
  withoutDashes: (id) => `t_${id.replace(/[-_]/g, '')}`,
  hashed: (id) => `t_${createHash('sha1').update(id).digest('hex').slice(0, 1)}`,
  constant: () => 'tenants',
  suffixed: (id) => `${id}-Data`,
  composed: (id) => id.normalize('NFC'),
  compatible: (id) => id.normalize('NFKC'),
  turkishLowerCase: (id) => id.toLocaleLowerCase('tr'),
  withoutAccents: (id) => id.normalize('NFD').replace(/\p{M}/gu, ''),
};

const ASCII = [...'aAbB-_'];
/** Letters that case, normalisation or UTF-8 may take for one another: Turkish i, sharp s, sigma, Kelvin, ligatures, halves of pairs. */
const UNICODE = ['i', 'I', 'ı', 'İ', 's', 'ss', 'ſ', 'ß', 'ẞ', 'σ', 'ς', 'Σ', 'k', 'K', '\u212a', 'µ', 'μ'].concat([
  'é',
  'É',
  'e\u0301',
  'E\u0301',
  'å',
  '\u212b',
  'ﬁ',
  'fi',
  '漢',
  '𐐀',
  '𐐨',
  '😀',
  '\ud83d',
  '\ude00',
  '\ufffd',
]);

/** A random id of few letters, so that many are alike; some are too long for a database. */
export function randomId(random: () => number, letters: readonly string[] = ASCII): string {
  const length = random() < 0.1 ? 64 + Math.floor(random() * 10) : 1 + Math.floor(random() * 5);
  return Array.from({ length }, () => letters[Math.floor(random() * letters.length)]).join('');
}

/** One beyond ASCII; some are longer than a database's name in bytes, though not in characters. */
export function randomUnicodeId(random: () => number): string {
  const letters = UNICODE.filter(() => random() < 0.15);
  const id = randomId(random, letters.length > 0 ? letters : UNICODE);
  return random() < 0.05 ? id + '漢'.repeat(16 + Math.floor(random() * 8)) : id;
}

/**
 * MongoDB takes two names of databases for one: by their bytes, by a server, which looks at the case of ASCII letters, or by
 * the config servers, which look by a regular expression.
 */
export function isOneDatabase(a: string, b: string): boolean {
  if (Buffer.from(a).equals(Buffer.from(b))) return true;
  const ofServer = (name: string) => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return ofServer(a) === ofServer(b) || new RegExp(`^${a.replace(/[\^$.*+?()[\]{}|]/g, '\\$&')}$`, 'iu').test(b);
}
