/**
 * What MongoDB does not tell apart in the names of databases, the same for all that it takes for one name. A server compares
 * ASCII letters without regard to case; the config servers of a sharded cluster compare every letter so, by Unicode's simple
 * case folding. So `Σ`, `σ` and `ς` are one letter, and so are `ß` and `ẞ`, which are no `ss`; Turkish `İ` and `ı` are letters
 * of their own. Names are compared as they are written: `é` in one and in two code points are two names.
 * @see https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions
 */
export const databaseKey = (name: string): string =>
  ASCII.test(name) ? name.toLowerCase() : Array.from(name, folded).join('');

const ASCII = /^[\0-\x7f]*$/;

/** JavaScript's own cases differ from the folding: `ß` becomes `SS`, `ı` becomes `I`, `Σ` is `ς` at the end of a word. */
function folded(letter: string): string {
  if (ASCII.test(letter)) return letter.toLowerCase();
  const regardless = new RegExp(letter, 'iu');
  const cases = [letter.toUpperCase().toLowerCase(), letter.toLowerCase()];
  return cases.find((one) => Array.from(one).length === 1 && regardless.test(one)) ?? letter;
}
